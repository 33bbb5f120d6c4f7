import type { Begun } from './player/ahead.ts'

// The only script inside a page (server/pages/frame.ts), built by itself; it runs before any other is here.

// The first number a browser writes in a language costs it long (its tables are read then: 30 ms, 130 ms on a slow phone), so it does that while the styles are on their way and it has nothing else to do.
new Intl.NumberFormat(document.documentElement.lang).format(1)

// A press of a button marked `data-kept` is noted at the root for the client, which answers it when it takes over (player/kept-press.ts): already where it begins, as the button may be gone where it ends.
for (const type of ['mousedown', 'click'] as const) {
  addEventListener(type, ({ button, target }) => { if (button === 0 && (target as Element).closest('[data-kept]')) document.documentElement.dataset.pressed = '' })
}

// What a film begins with (`data-ahead`: files with where their first segment ends) is asked for here, long before the client could (player/ahead.ts): not where whoever has watched before may begin with another quality, nor by who was sent to a place.
const { ahead } = document.currentScript!.dataset
if (ahead && !kept('bandwidth') && !kept('quality') && !new URLSearchParams(location.search).has('start')) {
  const begun: Begun = {}
  for (const [file, end] of JSON.parse(ahead) as [string, number][]) begun[file] = ask(file, end)
  Object.assign(window, { bobineAhead: begun })
}

function kept(key: string): string | null {
  try { return localStorage.getItem('bobine.' + key) } catch { return null }
}

function ask(file: string, end: number): Begun[string] {
  const one = { began: performance.now(), answered: 0, ended: 0 }
  const fetched = async (): Promise<ArrayBuffer> => {
    const response = await fetch(file, { headers: { Range: `bytes=0-${end - 1}` }, priority: 'low' })
    one.answered = performance.now()
    const bytes = await response.arrayBuffer()
    one.ended = performance.now()
    if (response.status !== 206 || bytes.byteLength !== end) throw new Error(`${response.status} while fetching ahead`)
    return bytes
  }
  const bytes = fetched()
  // Whoever takes it hears of it.
  bytes.catch(() => {})
  return Object.assign(one, { bytes })
}
