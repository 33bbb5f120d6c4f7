import { render } from 'preact'
import { isLoggedIn } from './credentials.ts'
import { setLanguage } from './i18n/i18n.ts'
import { loadInstanceConfig } from './instance/config.ts'
import { yieldToMain, waitForNextTask } from './main-thread.ts'
import { prioritizeEarlyPlayback } from './player/early-playback.ts'
import { loadCurrentUser } from './session.ts'
import { App } from './app/app.tsx'
import { registerServiceWorker } from './app/service-worker.ts'
import { applyTheme, initialLanguage } from './page/preferences.ts'
import { preloadPage } from './app/routes.ts'
import './ui/tokens.css'
import './ui/base.css'

prioritizeEarlyPlayback()
await waitForNextTask()
applyTheme()
await waitForNextTask()
// The server-rendered page stays visible until everything that replaces it has loaded; then it is replaced in one step.
await Promise.all([setLanguage(initialLanguage()), preloadPage(location.pathname)])
await yieldToMain()
const appElement = document.createElement('div')
render(<App />, appElement)
appElement.id = 'app'
document.getElementById('app')!.replaceWith(appElement)
await waitForNextTask()
loadInstanceConfig().catch(() => {
  /* the pages that need it load it again and show the error */
})
registerServiceWorker()
if (isLoggedIn.peek())
  loadCurrentUser().catch(() => {
    /* the saved user stays; a 401 ends an expired session */
  })
