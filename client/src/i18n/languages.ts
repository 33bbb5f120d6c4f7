import type { Catalogue } from './catalogue.ts'

type Texts = Promise<{ default: Partial<Catalogue> }>

/**
 * The languages of the site: their own name, where their texts are, and where those of the administration, which come apart
 * (vite.config.ts). A new language is one file and one line here.
 */
export const UI_LANGUAGES = {
  en: { name: 'English', load: (): Texts => import('./en.ts'), loadAdmin: (): Texts => import('./en.ts?admin') },
  fr: { name: 'Français', load: (): Texts => import('./fr.ts'), loadAdmin: (): Texts => import('./fr.ts?admin') }
}

/** The code of a language of the site. */
export type UiLanguage = keyof typeof UI_LANGUAGES

/** The language of the site that a text names (`fr-CH` is French), null for one we do not have. */
export function toUiLanguage(code: string | null | undefined): UiLanguage | null {
  const short = code?.toLowerCase().split(/[-_]/)[0] ?? ''
  return Object.hasOwn(UI_LANGUAGES, short) ? (short as UiLanguage) : null
}
