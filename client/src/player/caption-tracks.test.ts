import { expect, test } from 'vitest'
import { captionChoice, findChosenTrack, findForcedTrack, type CaptionTrack } from './caption-tracks.ts'

const track = (id: string, kind: CaptionTrack['kind'] = 'subtitles'): CaptionTrack => ({
  language: { id, label: id },
  kind,
  automaticallyGenerated: false,
  captionPath: `/${id}-${kind}.vtt`,
  updatedAt: ''
})
const [german, english, englishHearing, englishForced] = [
  track('de', 'hearing_impaired'),
  track('en'),
  track('en', 'hearing_impaired'),
  track('en', 'forced')
] as const
const tracks = [german, english, englishHearing, englishForced, track('pt-PT', 'forced')]

test('a choice is found again, in the kind that the video has', () => {
  for (const one of tracks) expect(findChosenTrack(tracks, captionChoice(one))).toBe(one)
  expect(captionChoice(english)).toBe('en')
  expect(findChosenTrack(tracks, 'de')).toBe(german)
  expect(findChosenTrack([english], 'en hearing_impaired')).toBe(english)
  expect(findChosenTrack([english, englishHearing], 'en forced')).toBeUndefined()
  expect(findChosenTrack(tracks, 'pt-PT')).toBeUndefined()
  for (const choice of ['', ' ', 'fr', 'en x', null, undefined]) expect(findChosenTrack([german, englishForced], choice)).toBeUndefined()
})

test('without subtitles the forced track of the language of the audio is shown', () => {
  expect(findForcedTrack(tracks, 'en')).toBe(englishForced)
  expect(findForcedTrack(tracks, 'en-GB')).toBe(englishForced)
  expect(findForcedTrack(tracks, 'pt')).toBe(tracks[4])
  expect(findForcedTrack(tracks, 'de')).toBeUndefined()
  expect(findForcedTrack(tracks, null)).toBeUndefined()
  expect(findForcedTrack([english, englishForced], null)).toBe(englishForced)
  expect(findForcedTrack([], null)).toBeUndefined()
})
