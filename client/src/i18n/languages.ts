import type { Catalogue } from './catalogue.ts'

type TextsModule = Promise<{ default: Partial<Catalogue> }>

/**
 * The languages of the interface: their own name, and the modules of their texts and of the texts of the administration, which are a
 * separate chunk (vite.config.ts). A new language needs one file and one line here.
 */
export const UI_LANGUAGES = {
  en: { name: 'English', load: (): TextsModule => import('./en.ts'), loadAdmin: (): TextsModule => import('./en.ts?admin') },
  fr: { name: 'Français', load: (): TextsModule => import('./fr.ts'), loadAdmin: (): TextsModule => import('./fr.ts?admin') }
}

/** The code of a language of the interface. */
export type UiLanguage = keyof typeof UI_LANGUAGES

/** Returns the interface language for a language tag (`fr-CH` gives `fr`), null if there is none. */
export function toUiLanguage(code: string | null | undefined): UiLanguage | null {
  const baseLanguage = code?.toLowerCase().split(/[-_]/)[0] ?? ''
  return Object.hasOwn(UI_LANGUAGES, baseLanguage) ? (baseLanguage as UiLanguage) : null
}
