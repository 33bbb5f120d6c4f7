import { render } from 'preact'
import { EmbeddedVideo } from './embed/embedded-video.tsx'
import { setLanguage } from './i18n/i18n.ts'
import { firstLanguage } from './shell/preferences.ts'
import './ui/tokens.css'
import './ui/base.css'

await setLanguage(firstLanguage())
const place = document.createElement('div')
render(<EmbeddedVideo id={location.pathname.split('/').at(-1)!} />, place)
place.id = 'app'
document.getElementById('app')!.replaceWith(place)
