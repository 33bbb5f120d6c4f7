import type { Catalogue } from './catalogue.ts'

/** The languages of the site: their own name and where their texts are. A new language is one file and one line here. */
export const LANGUAGES = {
  en: { name: 'English', load: () => import('./en.ts') as Promise<{ default: Catalogue }> },
  fr: { name: 'Français', load: () => import('./fr.ts') as Promise<{ default: Catalogue }> }
}

/** The code of a language of the site. */
export type Language = keyof typeof LANGUAGES

/** The language of the site that a text names (`fr-CH` is French), null for one we do not have. */
export function knownLanguage(code: string | null | undefined): Language | null {
  const short = code?.toLowerCase().split(/[-_]/)[0] ?? ''
  return Object.hasOwn(LANGUAGES, short) ? short as Language : null
}
