import { render } from 'preact'
import { isLoggedIn } from './credentials.ts'
import { setLanguage } from './i18n/i18n.ts'
import { loadInstanceConfig } from './instance/config.ts'
import { yieldToMain, waitForNextTask } from './main-thread.ts'
import { prioritizeEarlyPlayback } from './player/early-playback.ts'
import { loadCurrentUser } from './session.ts'
import { App } from './shell/app.tsx'
import { registerServiceWorker } from './shell/service-worker.ts'
import { applyTheme, initialLanguage } from './shell/preferences.ts'
import { preloadPage } from './shell/routes.ts'
import './ui/tokens.css'
import './ui/base.css'

prioritizeEarlyPlayback()
await waitForNextTask()
applyTheme()
await waitForNextTask()
// What the server wrote stays in view until everything is here to take its place in one step.
await Promise.all([setLanguage(initialLanguage()), preloadPage(location.pathname)])
await yieldToMain()
const place = document.createElement('div')
render(<App />, place)
place.id = 'app'
document.getElementById('app')!.replaceWith(place)
await waitForNextTask()
loadInstanceConfig().catch(() => {
  /* the pages that need it ask again and say so */
})
registerServiceWorker()
if (isLoggedIn.peek())
  loadCurrentUser().catch(() => {
    /* kept as last heard; a finished session ends by itself */
  })
