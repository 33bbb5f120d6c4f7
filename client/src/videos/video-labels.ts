import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'

/** The categories, by PeerTube's ids. */
export const CATEGORY_TEXTS: Record<number, TextKey> = {
  1: 'category.music',
  2: 'category.films',
  3: 'category.vehicles',
  4: 'category.art',
  5: 'category.sports',
  6: 'category.travels',
  7: 'category.gaming',
  8: 'category.people',
  9: 'category.comedy',
  10: 'category.entertainment',
  11: 'category.news',
  12: 'category.howTo',
  13: 'category.education',
  14: 'category.activism',
  15: 'category.science',
  16: 'category.animals',
  17: 'category.kids',
  18: 'category.food'
}

/** The licences, by PeerTube's ids. */
export const LICENCE_TEXTS: Record<number, TextKey> = {
  1: 'licence.by',
  2: 'licence.bySa',
  3: 'licence.byNd',
  4: 'licence.byNc',
  5: 'licence.byNcSa',
  6: 'licence.byNcNd',
  7: 'licence.publicDomain'
}

/** The privacies, by PeerTube's ids, with name and explanation, in the order of the choices. */
export const PRIVACY_TEXTS: [id: number, name: TextKey, hint: TextKey][] = [
  [1, 'privacy.public', 'privacy.publicHint'],
  [2, 'privacy.unlisted', 'privacy.unlistedHint'],
  [4, 'privacy.internal', 'privacy.internalHint'],
  [5, 'privacy.password', 'privacy.passwordHint'],
  [3, 'privacy.private', 'privacy.privateHint']
]

/** Returns the name of a category in the current language; `fallback` (the label of the server) for an unknown one. */
export function categoryName(id: number, fallback: string): string {
  return CATEGORY_TEXTS[id] ? t(CATEGORY_TEXTS[id]) : fallback
}

/** Returns the name of a licence in the current language; `fallback` for an unknown one. */
export function licenceName(id: number, fallback: string): string {
  return LICENCE_TEXTS[id] ? t(LICENCE_TEXTS[id]) : fallback
}

/** Returns the name of a privacy in the current language; empty for an unknown one. */
export function privacyName(id: number): string {
  const key = PRIVACY_TEXTS.find(([privacyId]) => privacyId === id)?.[1]
  return key ? t(key) : ''
}
