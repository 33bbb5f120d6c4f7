import { MAX_LANGUAGE_TAG, VIDEO_LANGUAGES } from '../../shared/languages.ts'

/** English labels of the privacies by number, as PeerTube's API has them; the same holds for the labels below. */
export const VIDEO_PRIVACY_LABELS: Record<number, string> = {
  1: 'Public',
  2: 'Unlisted',
  3: 'Private',
  4: 'Internal',
  5: 'Password protected'
}

/** Labels of the states of a video. */
export const VIDEO_STATE_LABELS: Record<number, string> = {
  1: 'Published',
  2: 'To transcode',
  3: 'To import',
  4: 'Waiting for livestream',
  5: 'Livestream ended',
  6: 'To move to an external storage',
  7: 'Transcoding failed',
  8: 'External storage move failed',
  9: 'To edit',
  10: 'To move to file system',
  11: 'Move to file system failed',
  12: 'Import failed'
}

/** Labels of the categories of videos. */
export const VIDEO_CATEGORY_LABELS: Record<number, string> = {
  1: 'Music',
  2: 'Films',
  3: 'Vehicles',
  4: 'Art',
  5: 'Sports',
  6: 'Travels',
  7: 'Gaming',
  8: 'People',
  9: 'Comedy',
  10: 'Entertainment',
  11: 'News & Politics',
  12: 'How To',
  13: 'Education',
  14: 'Activism',
  15: 'Science & Technology',
  16: 'Animals',
  17: 'Kids',
  18: 'Food'
}

/** Labels of the licences of videos. */
export const VIDEO_LICENCE_LABELS: Record<number, string> = {
  1: 'Attribution',
  2: 'Attribution - Share Alike',
  3: 'Attribution - No Derivatives',
  4: 'Attribution - Non Commercial',
  5: 'Attribution - Non Commercial - Share Alike',
  6: 'Attribution - Non Commercial - No Derivatives',
  7: 'Public Domain Dedication'
}

/** Labels of the comments policies. */
export const COMMENTS_POLICY_LABELS: Record<number, string> = { 1: 'Enabled', 2: 'Disabled', 3: 'Requires approval' }

const languageNames = new Intl.DisplayNames(['en'], { type: 'language' })
/** Labels that PeerTube defines and `Intl.DisplayNames` does not have in this form. */
const PEERTUBE_LANGUAGE_LABELS: Record<string, string> = {
  ase: 'American Sign Language',
  asq: 'Austrian Sign Language',
  asf: 'Australian Sign Language',
  bfi: 'British Sign Language',
  bzs: 'Brazilian Sign Language',
  csl: 'Chinese Sign Language',
  cse: 'Czech Sign Language',
  dsl: 'Danish Sign Language',
  fse: 'Finnish Sign Language',
  fsl: 'French Sign Language',
  gsg: 'German Sign Language',
  jsl: 'Japanese Sign Language',
  kvk: 'Korean Sign Language',
  nsl: 'Norwegian Sign Language',
  pks: 'Pakistan Sign Language',
  psr: 'Portuguese Sign Language',
  rsl: 'Russian Sign Language',
  sdl: 'Saudi Arabian Sign Language',
  sfs: 'South African Sign Language',
  sls: 'Singapore Sign Language',
  swl: 'Swedish Sign Language',
  lsg: 'Lyons Sign Language',
  gcf: 'Guadeloupean Creole French',
  sh: 'Serbo-Croatian',
  'zh-Hans': 'Simplified Chinese',
  'zh-Hant': 'Traditional Chinese',
  zxx: 'No linguistic content'
}

/** English labels of the languages, by code. */
export const VIDEO_LANGUAGE_LABELS: Record<string, string> = Object.fromEntries(
  VIDEO_LANGUAGES.map(code => [code, PEERTUBE_LANGUAGE_LABELS[code] ?? languageNames.of(code) ?? code])
)

/** Returns the label of a language; that of one of another server that is not in our list is its code. */
export function languageLabel(code: string): string {
  return Object.hasOwn(VIDEO_LANGUAGE_LABELS, code) ? VIDEO_LANGUAGE_LABELS[code]! : code
}

const languagesByLowerCase = new Map(VIDEO_LANGUAGES.map(code => [code.toLowerCase(), code]))

/**
 * Returns the language of a video or caption of another server: one of our list, written as there, or another language tag as it came
 * (RFC 5646, 2.1 and 4.4: at most 35 characters, capitals do not matter). Null: not a language tag.
 */
export function parseLanguageTag(tag: string): string | null {
  if (tag.length > MAX_LANGUAGE_TAG || !/^[a-z]{1,8}(-[a-z\d]{1,8})*$/i.test(tag)) return null
  return languagesByLowerCase.get(tag.toLowerCase()) ?? tag
}

/** Returns an id with its label; the label of null and of an id without one is "Unknown". */
export function idWithLabel<T extends string | number>(
  id: T | null,
  labels: Record<string | number, string>
): { id: T | null; label: string } {
  return { id, label: id === null ? 'Unknown' : (labels[id] ?? 'Unknown') }
}

/** Returns the label of a resolution: 720 → '720p', 0 → 'Audio only'. */
export function resolutionLabel(resolution: number): string {
  return resolution === 0 ? 'Audio only' : `${resolution}p`
}
