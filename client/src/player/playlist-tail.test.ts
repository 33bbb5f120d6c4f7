import { expect, test } from 'vitest'
import { parsePlaylistEnd } from './playlist-tail.ts'

function makePlaylist(count: number, ended: boolean): string {
  let offset = 900
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    '#EXT-X-TARGETDURATION:2',
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:EVENT',
    '#EXT-X-MAP:URI="a.mp4",BYTERANGE="900@0"'
  ]
  for (let index = 0; index < count; index++) {
    const length = 300_000 + (index % 7) * 10_000
    lines.push('#EXTINF:2.002000,', `#EXT-X-BYTERANGE:${length}@${offset}`, 'f1c2a9d0-0000-4000-8000-000000000000-720-fragmented.mp4')
    offset += length
  }
  return lines.join('\n') + (ended ? '\n#EXT-X-ENDLIST\n' : '\n')
}

test('the durations of a complete text are added up', () => {
  expect(parsePlaylistEnd(makePlaylist(3, false), 0, 0)).toEqual({ edge: expect.closeTo(6.006), ended: false })
  expect(parsePlaylistEnd(makePlaylist(0, false), 0, 0)).toEqual({ edge: 0, ended: false })
  expect(parsePlaylistEnd(makePlaylist(1, true), 0, 0)).toEqual({ edge: expect.closeTo(2.002), ended: true })
})

test.each([50, 500, 5000])('the last bytes of a playlist of %i segments give its end, never too large', count => {
  const text = makePlaylist(count, count === 500)
  const start = Math.max(0, text.length - 4096)
  const { edge, ended } = parsePlaylistEnd(text.slice(start), start, text.length)
  expect(edge).toBeLessThanOrEqual(count * 2.002 + 0.01)
  expect(edge).toBeGreaterThan(count * 2.002 * 0.93 - 8)
  expect(ended).toBe(count === 500)
})
