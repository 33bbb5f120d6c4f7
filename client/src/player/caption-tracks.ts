import type { ApiResponse } from '../api.ts'
import { languageName, t } from '../i18n/i18n.ts'

/** A subtitle track of a video. Tracks are sorted by language; within one, full ones first and forced ones last. */
export type CaptionTrack = ApiResponse<'GET /videos/:id/caption-tracks'>['data'][number]

/** What is saved for a track that the viewer chooses: its language, with its kind unless it is full. */
export function captionChoice({ language, kind }: CaptionTrack): string {
  return kind === 'subtitles' ? language.id : `${language.id} ${kind}`
}

/** Returns the track for a saved choice; where a video does not have that kind, other subtitles of the language that are not forced. */
export function findChosenTrack(tracks: CaptionTrack[], choice: string | null | undefined): CaptionTrack | undefined {
  const [language, kind] = choice?.split(' ') ?? []
  return (
    tracks.find(track => captionChoice(track) === choice) ??
    (kind === 'forced' ? undefined : tracks.find(track => track.language.id === language && track.kind !== 'forced'))
  )
}

/**
 * Returns the forced track that is shown while subtitles are off: that of the language of the audio, or the only one where that language is
 * unknown.
 */
export function findForcedTrack(tracks: CaptionTrack[], audioLanguage: string | null): CaptionTrack | undefined {
  const forced = tracks.filter(({ kind }) => kind === 'forced')
  return audioLanguage
    ? forced.find(({ language }) => baseLanguage(language.id) === baseLanguage(audioLanguage))
    : forced[1]
      ? undefined
      : forced[0]
}

/** `pt` of `pt-BR`. */
function baseLanguage(tag: string): string | undefined {
  return tag.split('-')[0]
}

/** The name of a track in the language of the pages. */
export function captionTrackName({ language: { id, label }, kind }: CaptionTrack): string {
  const language = languageName(id, label)
  if (kind === 'subtitles') return language
  return t(kind === 'forced' ? 'player.captionsForced' : 'player.captionsHearing', { language })
}
