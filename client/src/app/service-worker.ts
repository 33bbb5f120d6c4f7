import { effect } from '@preact/signals'
import { currentLanguage } from '../i18n/i18n.ts'
import { chosenTheme } from '../page/preferences.ts'

/** Milliseconds to wait, so that loading the page has priority. */
const REGISTER_AFTER_MS = 3000

/** Registers the service worker that stores the offline page, in the current language and theme. */
export function registerServiceWorker(): void {
  if (!('serviceWorker' in navigator)) return
  setTimeout(
    () =>
      effect(() => {
        const url = `/sw.js?${currentLanguage()}-${chosenTheme.value}`
        // Without the service worker the browser shows its own offline page.
        navigator.serviceWorker.register(url, { scope: '/', updateViaCache: 'none' }).catch(() => undefined)
      }),
    REGISTER_AFTER_MS
  )
}
