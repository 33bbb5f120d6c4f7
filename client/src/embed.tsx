import { render } from 'preact'
import { EmbeddedVideo } from './embed/embedded-video.tsx'
import { parseEmbedOptions } from './embed/embed-options.ts'
import { setLanguage } from './i18n/i18n.ts'
import { waitForNextTask } from './main-thread.ts'
import { prioritizeEarlyPlayback } from './player/early-playback.ts'
import { initialLanguage } from './page/preferences.ts'
import './ui/tokens.css'
import './ui/base.css'

prioritizeEarlyPlayback()
await waitForNextTask()
const options = parseEmbedOptions(location.search)
const isControlled = options.api && parent !== window
const isPlaylist = location.pathname.startsWith('/video-playlists/')
const [embedApi, EmbeddedPage] = await Promise.all([
  isControlled ? import('./embed/embed-api.ts').then(({ EmbedApi }) => new EmbedApi(parent)) : null,
  isPlaylist ? import('./embed/embedded-playlist.tsx').then(({ EmbeddedPlaylist }) => EmbeddedPlaylist) : EmbeddedVideo,
  setLanguage(initialLanguage())
])
for (const [name, color] of [
  ['--start', options.colours.button],
  ['--front', options.colours.front]
] as const) {
  if (color !== null && CSS.supports('color', color)) document.documentElement.style.setProperty(name, color)
}
const appElement = document.createElement('div')
render(<EmbeddedPage id={location.pathname.split('/').at(-1)!} options={options} embedApi={embedApi} />, appElement)
appElement.id = 'app'
document.getElementById('app')!.replaceWith(appElement)
