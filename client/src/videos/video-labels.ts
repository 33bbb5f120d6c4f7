import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'

/** The categories, by PeerTube's numbers. */
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

/** The licences, by PeerTube's numbers. */
export const LICENCE_TEXTS: Record<number, TextKey> = {
  1: 'licence.by',
  2: 'licence.bySa',
  3: 'licence.byNd',
  4: 'licence.byNc',
  5: 'licence.byNcSa',
  6: 'licence.byNcNd',
  7: 'licence.publicDomain'
}

/** Who may watch, by PeerTube's numbers: name and explanation, in the order in which they are offered. */
export const PRIVACY_TEXTS: [id: number, name: TextKey, hint: TextKey][] = [
  [1, 'privacy.public', 'privacy.publicHint'],
  [2, 'privacy.unlisted', 'privacy.unlistedHint'],
  [4, 'privacy.internal', 'privacy.internalHint'],
  [5, 'privacy.password', 'privacy.passwordHint'],
  [3, 'privacy.private', 'privacy.privateHint']
]

/** A category in the language in use; `fallback` is the server's own word for one we do not know. */
export function categoryName(id: number, fallback: string): string {
  return CATEGORY_TEXTS[id] ? t(CATEGORY_TEXTS[id]) : fallback
}

/** A licence in the language in use. */
export function licenceName(id: number, fallback: string): string {
  return LICENCE_TEXTS[id] ? t(LICENCE_TEXTS[id]) : fallback
}

/** A privacy in the language in use. */
export function privacyName(id: number): string {
  const key = PRIVACY_TEXTS.find(([one]) => one === id)?.[1]
  return key ? t(key) : ''
}
