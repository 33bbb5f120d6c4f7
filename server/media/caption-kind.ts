import type { CaptionKind } from '../../shared/captions.ts'

/** Words between characters that are no letters. */
const words = (...alternatives: string[]) => new RegExp(String.raw`(?<!\p{L})(?:${alternatives.join('|')})(?!\p{L})`, 'iu')

const NEGATED_FORCED = words(String.raw`(?:not|non|no|un)[\s-]*forced`, String.raw`non[\s-]*forc[ée]s?`)
/** "Forced" in the languages whose releases say it, and signs and songs, as of anime. */
const FORCED = words(
  'forced',
  'forc[ée]e?s?',
  'forzad[oa]s?',
  'forzat[oiae]',
  'forçad[oa]s?',
  'forciert',
  'erzwungen',
  'geforceerd',
  'tvungen',
  'tvingad',
  'wymuszone',
  String.raw`форсированные`,
  String.raw`signs?`,
  String.raw`signs?\s*(?:&|and|\+|/|,)\s*songs?`,
  String.raw`songs?\s*(?:&|and|\+|/|,)\s*signs?`,
  String.raw`s\s*&\s*s`
)
const HEARING_IMPAIRED = words(
  'sdh',
  String.raw`cc`,
  String.raw`closed[\s-]*captions?`,
  String.raw`hearing[\s-]*impaired`,
  String.raw`hard[\s-]*of[\s-]*hearing`,
  'hoh',
  'deaf',
  'malentendant(?:e?s)?',
  'sourds?',
  'sme',
  String.raw`hörgesch(?:ädigte[nr]?|\.)?`,
  'gehörlosen?',
  'sord[oa]s?',
  String.raw`(?:non\s+)?udenti`,
  'surdos?',
  'slechthorenden',
  'hörselskadade',
  'hørselshemmede',
  'hørehæmmede'
)
/** Texts about the video instead of what is said in it. */
const OTHER = words('commentary', 'commentaires?', 'kommentar', 'comentarios?')

/**
 * Returns the kind of a subtitle stream by its dispositions in ffprobe, else by its title, as many files have only that; null for what is
 * not about the audio: descriptions, commentary, metadata.
 */
export function captionKind(disposition: Record<string, number>, title: string): CaptionKind | null {
  const has = (name: string) => disposition[name] === 1
  if (has('forced')) return 'forced'
  if (has('hearing_impaired') || has('captions')) return 'hearing_impaired'
  if (has('descriptions') || has('metadata') || has('comment')) return null
  if (FORCED.test(title) && !NEGATED_FORCED.test(title)) return 'forced'
  if (HEARING_IMPAIRED.test(title)) return 'hearing_impaired'
  return OTHER.test(title) ? null : 'subtitles'
}
