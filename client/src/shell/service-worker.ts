import { effect } from '@preact/signals'
import { currentLanguage } from '../i18n/i18n.ts'
import { chosenTheme } from './preferences.ts'

/** Whatever somebody came for goes first. */
const LATER = 3000

/** Has the browser keep a page for times without a network, in the language and theme of the site. */
export function registerServiceWorker(): void {
  if (!('serviceWorker' in navigator)) return
  setTimeout(
    () =>
      effect(() => {
        const address = `/sw.js?${currentLanguage()}-${chosenTheme.value}`
        // It helps only those who come back: without it the browser says by itself that it is offline.
        navigator.serviceWorker.register(address, { scope: '/', updateViaCache: 'none' }).catch(() => undefined)
      }),
    LATER
  )
}
