import { signal } from '@preact/signals'
import { toUiLanguage, type UiLanguage } from '../i18n/languages.ts'
import { setLanguage } from '../i18n/i18n.ts'

/** How light the pages are. */
export type Theme = 'system' | 'light' | 'dark'

/** The chosen theme. The server reads the same cookie, so that no page flashes in the wrong colours. */
export const chosenTheme = signal<Theme>(readTheme())

/** Chooses a theme, here and for the next pages. */
export function chooseTheme(next: Theme): void {
  chosenTheme.value = next
  keepCookie('bobine_theme', next === 'system' ? null : next)
  applyTheme()
}

/** Chooses a language, here and for the next pages. */
export async function chooseLanguage(next: UiLanguage): Promise<void> {
  keepCookie('bobine_language', next)
  await setLanguage(next)
}

/** The language to begin with: the chosen one, else the one the server wrote the page in (by the browser's wish). */
export function initialLanguage(): UiLanguage {
  return toUiLanguage(cookie('bobine_language')) ?? toUiLanguage(document.documentElement.lang) ?? 'en'
}

/** Makes the page show the chosen theme. */
export function applyTheme(): void {
  const chosen = chosenTheme.peek()
  if (chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
}

const YEAR = 365 * 24 * 3600

function readTheme(): Theme {
  const chosen = cookie('bobine_theme')
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
}

function cookie(name: string): string | null {
  // A sandboxed frame has no cookies, not even empty ones.
  try {
    return (
      document.cookie
        .split('; ')
        .find(one => one.startsWith(`${name}=`))
        ?.slice(name.length + 1) ?? null
    )
  } catch {
    return null
  }
}

function keepCookie(name: string, value: string | null): void {
  document.cookie = `${name}=${value ?? ''}; Path=/; SameSite=Lax; Max-Age=${value === null ? 0 : YEAR}${location.protocol === 'https:' ? '; Secure' : ''}`
}
