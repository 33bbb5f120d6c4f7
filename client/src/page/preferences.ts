import { signal } from '@preact/signals'
import { toUiLanguage, type UiLanguage } from '../i18n/languages.ts'
import { setLanguage } from '../i18n/i18n.ts'

/** The colour theme; `system` follows the setting of the operating system. */
export type Theme = 'system' | 'light' | 'dark'

/** The text keys of the names of the themes. */
export const THEME_NAMES = { system: 'app.themeSystem', light: 'app.themeLight', dark: 'app.themeDark' } as const

/** The chosen theme. The server reads the same cookie, so that it renders pages in the right colours. */
export const chosenTheme = signal<Theme>(readTheme())

/** Applies a theme and saves it in a cookie. */
export function chooseTheme(next: Theme): void {
  chosenTheme.value = next
  writeCookie('bobine_theme', next === 'system' ? null : next)
  applyTheme()
}

/** Switches to a language and saves it in a cookie. */
export async function chooseLanguage(next: UiLanguage): Promise<void> {
  writeCookie('bobine_language', next)
  await setLanguage(next)
}

/** Returns the language to start with: the saved one, else the one of the server-rendered page (from Accept-Language). */
export function initialLanguage(): UiLanguage {
  return toUiLanguage(readCookie('bobine_language')) ?? toUiLanguage(document.documentElement.lang) ?? 'en'
}

/** Applies the chosen theme to the page. */
export function applyTheme(): void {
  const chosen = chosenTheme.peek()
  if (chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = chosen
}

const YEAR_SECONDS = 365 * 24 * 3600

function readTheme(): Theme {
  const chosen = readCookie('bobine_theme')
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system'
}

function readCookie(name: string): string | null {
  // Reading cookies throws in a sandboxed frame.
  try {
    return (
      document.cookie
        .split('; ')
        .find(entry => entry.startsWith(`${name}=`))
        ?.slice(name.length + 1) ?? null
    )
  } catch {
    return null
  }
}

function writeCookie(name: string, value: string | null): void {
  const maxAge = value === null ? 0 : YEAR_SECONDS
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  document.cookie = `${name}=${value ?? ''}; Path=/; SameSite=Lax; Max-Age=${maxAge}${secure}`
}
