import { render } from 'preact'
import { isLoggedIn } from './credentials.ts'
import { setLanguage } from './i18n/i18n.ts'
import { loadConfig } from './instance/config.ts'
import { itsTurn, pause } from './main-thread.ts'
import { letFilmGoFirst } from './player/early-playback.ts'
import { loadMe } from './session.ts'
import { App } from './shell/app.tsx'
import { keepOfflinePage } from './shell/service-worker.ts'
import { applyTheme, firstLanguage } from './shell/preferences.ts'
import { preloadPage } from './shell/routes.ts'
import './ui/tokens.css'
import './ui/base.css'

letFilmGoFirst()
await pause()
applyTheme()
await pause()
// What the server wrote stays in view until everything is here to take its place in one step.
await Promise.all([setLanguage(firstLanguage()), preloadPage(location.pathname)])
await itsTurn()
const place = document.createElement('div')
render(<App />, place)
place.id = 'app'
document.getElementById('app')!.replaceWith(place)
await pause()
loadConfig().catch(() => {
  /* the pages that need it ask again and say so */
})
keepOfflinePage()
if (isLoggedIn.peek())
  loadMe().catch(() => {
    /* kept as last heard; a finished session ends by itself */
  })
