import { render } from 'preact'
import { EmbeddedVideo } from './embed/embedded-video.tsx'
import { readWishes } from './embed/embed-options.ts'
import { setLanguage } from './i18n/i18n.ts'
import { pause } from './main-thread.ts'
import { letFilmGoFirst } from './player/early-playback.ts'
import { firstLanguage } from './shell/preferences.ts'
import './ui/tokens.css'
import './ui/base.css'

letFilmGoFirst()
await pause()
const wishes = readWishes(location.search)
const commanded = wishes.api && parent !== window
const [remote] = await Promise.all([
  commanded ? import('./embed/embed-api.ts').then(({ Remote }) => new Remote(parent)) : null,
  setLanguage(firstLanguage())
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
