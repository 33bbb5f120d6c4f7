import { createHash } from 'node:crypto'
import { Html } from './html.ts'

/**
 * The only script inside a page; it runs before any other is here.
 * The first number a browser writes in a language costs it long (its tables are read then: 30 ms, 130 ms on a slow phone), so it does that while the styles are on their way and it has nothing else to do.
 * A press of a button marked `data-kept` is noted at the root for the client, which answers it when it takes over (client/src/player/kept-press.ts): already where it begins, as the button may be gone where it ends.
 */
const SCRIPT = `new Intl.NumberFormat(document.documentElement.lang).format(1)
for (const type of ['mousedown', 'click']) addEventListener(type, ({ button, target }) => { if (button === 0 && target.closest('[data-kept]')) document.documentElement.dataset.pressed = '' })`

/** The script, to stand before the styles: it would wait for them. */
export const firstScript = new Html(`<script>${SCRIPT}</script>`)

/** Names the script in a content security policy. */
export const firstScriptSource = `'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`
