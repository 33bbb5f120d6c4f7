import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { VideoDetails } from '../../shared/videos.ts'
import { loadConfig } from '../core/config.ts'
import { hlsFolder } from '../storage/disk.ts'
import { prepareEarlyPlayback } from './early-playback.ts'

const uuid = randomUUID()
const HERE = `https://here.example/static/streaming-playlists/hls/${uuid}`
const rung = (id: number, hasVideo = true) => ({
  resolution: { id, label: '' },
  hasVideo,
  hasAudio: !hasVideo,
  playlistUrl: `${HERE}/${id}.m3u8`
})
const video = (sizes: number[], { isLocal = true, sound = true, finished = true } = {}) =>
  ({
    uuid,
    isLocal,
    streamingPlaylists: [
      {
        playlistUrl: `${HERE}/master.m3u8`,
        segmentsSha256Url: finished ? `${HERE}/hashes.json` : '',
        files: [...sizes.map(size => rung(size)), ...(sound ? [rung(0, false)] : [])]
      }
    ]
  }) as unknown as VideoDetails
const path = (name: string) => new URL(`${HERE}/${name}`).pathname
const names = (paths: string[] = []) => paths.map(path => path.split('/').at(-1))

const playlistOf = (name: string, segments = 2) =>
  [
    '#EXTM3U',
    `#EXT-X-MAP:URI="${name}.mp4",BYTERANGE="700@0"`,
    ...[...Array(segments).keys()].map(number => `#EXTINF:2.500000,\n#EXT-X-BYTERANGE:300@${700 + 300 * number}\n${name}.mp4`),
    '#EXT-X-ENDLIST',
    ''
  ].join('\n')
/** As this program writes it: sound apart. */
const master = [
  '#EXTM3U',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",URI="0.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS="avc1.64001e,mp4a.40.2",AUDIO="sound"',
  '240.m3u8',
  ''
].join('\n')
const begins = (names: string[], duration = 5) => ({
  master: path('master.m3u8'),
  duration,
  files: names.map(name => ({ playlist: path(`${name}.m3u8`), file: path(`${name}.mp4`), ends: [700, 1000], track: null }))
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bobine-early-'))
  loadConfig({ overrides: { storage: { root: folder } } })
  await mkdir(hlsFolder(uuid), { recursive: true })
  for (const name of ['master', '144', '180', '240', '360', '0']) await writeFile(join(hlsFolder(uuid), `${name}.m3u8`), playlistOf(name))
  await writeFile(join(hlsFolder(uuid), '480.m3u8'), playlistOf('480', 600))
  await writeFile(join(hlsFolder(uuid), '540.m3u8'), playlistOf('540').replace('700@0', '700@100'))
  await writeFile(join(hlsFolder(uuid), '1440.m3u8'), 'no playlist')
})
afterAll(async () => await rm(folder, { recursive: true, force: true }))

describe('what a player needs first', () => {
  it.each([
    ['the lowest picture that is not too coarse, and the sound', [1080, 720, 480, 360, 240, 144], {}, ['240', '0']],
    ['the next one up where that is missing', [720, 360], {}, ['360', '0']],
    ['the best of pictures that are all coarse', [144, 180], {}, ['180', '0']],
    ['no sound where the film has none', [240], { sound: false }, ['240']],
    ['no picture where it is sound alone', [], {}, ['0']]
  ])('is %s', async (_, sizes, options, first) => {
    const early = (await prepareEarlyPlayback(video(sizes, options)))!
    expect(early.first).toEqual(begins(first))
    expect(names(Object.keys(early.texts))).toEqual(['master', ...first].map(name => `${name}.m3u8`))
    expect(Object.values(early.texts)).toContain(playlistOf(first[0]!))
    expect(early).toMatchObject({ sources: [], files: [] })
  })
  it('is fetched beside the page where it is long, though the film begins all the same', async () => {
    const long = (await prepareEarlyPlayback(video([480])))!
    expect([names(long.files), names(Object.keys(long.texts)), long.sources]).toEqual([['480.m3u8'], ['master.m3u8', '0.m3u8'], []])
    expect(long.first).toEqual(begins(['480', '0'], 1500))
  })
  it('is fetched beside the page while it may still change, and where it cannot be read', async () => {
    const growing = (await prepareEarlyPlayback(video([240], { finished: false })))!
    expect([names(growing.files), growing.texts, growing.first, growing.sources]).toEqual([
      ['master.m3u8', '240.m3u8', '0.m3u8'],
      {},
      null,
      ['src/player/hls.ts']
    ])
    const lost = (await prepareEarlyPlayback(video([720])))!
    expect([names(lost.files), lost.first, lost.sources]).toEqual([['720.m3u8'], null, ['src/player/hls.ts']])
  })
  it('says what is in the files, where the master playlist does', async () => {
    const tracks = async (text: string, options = {}) => {
      await writeFile(join(hlsFolder(uuid), 'master.m3u8'), text)
      try {
        return (await prepareEarlyPlayback(video([240], options)))!.first!.files.map(({ track }) => track)
      } finally {
        await writeFile(join(hlsFolder(uuid), 'master.m3u8'), playlistOf('master'))
      }
    }
    expect(await tracks(master)).toEqual([
      { type: 'video', id: 'main', container: 'video/mp4', codec: 'avc1.64001e' },
      { type: 'audio', id: 'audio', container: 'audio/mp4', codec: 'mp4a.40.2' }
    ])
    const together = master
      .split('\n')
      .filter(line => !line.includes('MEDIA'))
      .join('\n')
      .replace(',AUDIO="sound"', '')
    expect(await tracks(together, { sound: false })).toEqual([
      { type: 'audiovideo', id: 'main', container: 'video/mp4', codec: 'avc1.64001e,mp4a.40.2' }
    ])
    expect(await tracks(together.replace('avc1.64001e,', ''), { sound: false })).toEqual([
      { type: 'audio', id: 'main', container: 'audio/mp4', codec: 'mp4a.40.2' }
    ])
    expect(await tracks(master.replace(/CODECS="[^"]*",/, ''))).toEqual([null, null])
  })
  it.each([540, 1440])(
    'has no beginning where the playlist does not say that header and first segment lie at the head of the file (%s)',
    async size => {
      expect((await prepareEarlyPlayback(video([size])))!.first).toBeNull()
    }
  )
  it('is nothing but the library where another server has the files, and nothing where there are none', async () => {
    expect(await prepareEarlyPlayback(video([240], { isLocal: false }))).toEqual({
      sources: ['src/player/hls.ts'],
      files: [],
      texts: {},
      first: null
    })
    expect(await prepareEarlyPlayback({ isLocal: true, streamingPlaylists: [] } as unknown as VideoDetails)).toBeUndefined()
  })
})
