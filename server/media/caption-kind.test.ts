import { expect, it } from 'vitest'
import { captionKind } from './caption-kind.ts'
import { parseSubtitleStream } from './ffprobe-streams.ts'

it.each([
  [{ forced: 1 }, '', 'forced'],
  [{ forced: 1, hearing_impaired: 1 }, 'English SDH', 'forced'],
  [{ hearing_impaired: 1 }, '', 'hearing_impaired'],
  [{ captions: 1, default: 1 }, 'English', 'hearing_impaired'],
  [{ hearing_impaired: 1 }, 'Forced', 'hearing_impaired'],
  [{ descriptions: 1 }, '', null],
  [{ comment: 1 }, '', null],
  [{ metadata: 1 }, '', null],
  [{ default: 1, original: 1, forced: 0, captions: 0 }, '', 'subtitles']
])('dispositions %j with the title %j are %s', (disposition, title, kind) => {
  expect(captionKind(disposition as Record<string, number>, title)).toBe(kind)
})

it.each([
  [
    'forced',
    'Forced|English (Forced)|FORCED|Français forcé|Forcés|Sous-titres forcés|Forzados|forced_subs|Signs & Songs|Signs/Songs|S&S|Signs'
  ],
  [
    'hearing_impaired',
    'SDH|English [SDH]|CC|English (CC)|Closed Captions|Hearing-Impaired|Français pour sourds et malentendants|Malentendants'
  ],
  ['hearing_impaired', 'Hörgeschädigte|Deutsch für Hörgeschädigte|Subtítulos para sordos|Non udenti|SME|for the deaf'],
  ['subtitles', 'English|Full|Full subtitles|Not forced|Non-forced|Accord|Reinforced|Designs|Assignment|ccc|Non forcé|'],
  [null, "Director's commentary|Commentaire"]
])('titles of the kind %s', (kind, titles) => {
  for (const title of titles.split('|')) expect([title, captionKind({}, title)]).toEqual([title, kind])
})

it('only text streams are parsed, with what is known of them', () => {
  const stream = {
    index: 2,
    codec_type: 'subtitle',
    codec_name: 'subrip',
    disposition: { default: 1 },
    tags: { language: 'eng', title: 'SDH' }
  }
  expect(parseSubtitleStream(stream)).toEqual({ index: 2, codec: 'subrip', language: 'eng', kind: 'hearing_impaired', main: true })
  expect(parseSubtitleStream({ index: 3, codec_type: 'subtitle', codec_name: 'mov_text' })).toEqual({
    index: 3,
    codec: 'mov_text',
    language: null,
    kind: 'subtitles',
    main: false
  })
  expect(parseSubtitleStream({ ...stream, codec_name: 'hdmv_pgs_subtitle' })).toBeNull()
  expect(parseSubtitleStream({ ...stream, disposition: { descriptions: 1 } })).toBeNull()
})
