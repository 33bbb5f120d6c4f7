import type { Catalogue } from './catalogue.ts'

type TextsModule = Promise<{ default: Partial<Catalogue> }>

/**
 * The languages of the interface: their own name, and the modules of their texts, of which those of the administration and of creators' pages
 * are separate chunks (vite.config.ts). A new language needs one file and its lines here.
 */
export const UI_LANGUAGES = {
  en: {
    name: 'English',
    site: (): TextsModule => import('./en.ts'),
    admin: (): TextsModule => import('./en.ts?admin'),
    creator: (): TextsModule => import('./en.ts?creator')
  },
  fr: {
    name: 'Français',
    site: (): TextsModule => import('./fr.ts'),
    admin: (): TextsModule => import('./fr.ts?admin'),
    creator: (): TextsModule => import('./fr.ts?creator')
  }
}

/** Texts that only some pages show. */
export type TextGroup = 'admin' | 'creator'

/** The code of a language of the interface. */
export type UiLanguage = keyof typeof UI_LANGUAGES

/** Returns the interface language for a language tag (`fr-CH` gives `fr`), null if there is none. */
export function toUiLanguage(code: string | null | undefined): UiLanguage | null {
  const baseLanguage = code?.toLowerCase().split(/[-_]/)[0] ?? ''
  return Object.hasOwn(UI_LANGUAGES, baseLanguage) ? (baseLanguage as UiLanguage) : null
}
