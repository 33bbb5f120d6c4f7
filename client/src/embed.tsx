import { render } from 'preact'
import { EmbeddedVideo } from './embed/embedded-video.tsx'
import { parseEmbedOptions } from './embed/embed-options.ts'
import { setLanguage } from './i18n/i18n.ts'
import { waitForNextTask } from './main-thread.ts'
import { prioritizeEarlyPlayback } from './player/early-playback.ts'
import { initialLanguage } from './shell/preferences.ts'
import './ui/tokens.css'
import './ui/base.css'

prioritizeEarlyPlayback()
await waitForNextTask()
const wishes = parseEmbedOptions(location.search)
const commanded = wishes.api && parent !== window
const [remote] = await Promise.all([
  commanded ? import('./embed/embed-api.ts').then(({ EmbedApi }) => new EmbedApi(parent)) : null,
  setLanguage(initialLanguage())
])
for (const [name, colour] of [
  ['--start', wishes.colours.button],
  ['--front', wishes.colours.front]
] as const) {
  if (colour !== null && CSS.supports('color', colour)) document.documentElement.style.setProperty(name, colour)
}
const place = document.createElement('div')
render(<EmbeddedVideo id={location.pathname.split('/').at(-1)!} wishes={wishes} remote={remote} />, place)
place.id = 'app'
document.getElementById('app')!.replaceWith(place)
