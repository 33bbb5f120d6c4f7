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
const BASE_URL = `https://here.example/static/streaming-playlists/hls/${uuid}`
const rendition = (id: number, hasVideo = true) => ({
  resolution: { id, label: '' },
  hasVideo,
  hasAudio: !hasVideo,
  playlistUrl: `${BASE_URL}/${id}.m3u8`
})
const videoWith = (sizes: number[], { isLocal = true, sound: audio = true, finished = true } = {}) =>
  ({
    uuid,
    isLocal,
    streamingPlaylists: [
      {
        playlistUrl: `${BASE_URL}/master.m3u8`,
        segmentsSha256Url: finished ? `${BASE_URL}/hashes.json` : '',
        files: [...sizes.map(size => rendition(size)), ...(audio ? [rendition(0, false)] : [])]
      }
    ]
  }) as unknown as VideoDetails
const pathOf = (name: string) => new URL(`${BASE_URL}/${name}`).pathname
const fileNames = (paths: string[] = []) => paths.map(pathOf => pathOf.split('/').at(-1))

const mediaPlaylist = (name: string, segments = 2) =>
  [
    '#EXTM3U',
    `#EXT-X-MAP:URI="${name}.mp4",BYTERANGE="700@0"`,
    ...[...Array(segments).keys()].map(number => `#EXTINF:2.500000,\n#EXT-X-BYTERANGE:300@${700 + 300 * number}\n${name}.mp4`),
    '#EXT-X-ENDLIST',
    ''
  ].join('\n')
/** As this program writes it: audio as a separate rendition. */
const master = [
  '#EXTM3U',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",URI="0.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=400000,CODECS="avc1.64001e,mp4a.40.2",AUDIO="sound"',
  '240.m3u8',
  ''
].join('\n')
const manifestOf = (fileNames: string[], duration = 5) => ({
  master: pathOf('master.m3u8'),
  duration,
  files: fileNames.map(name => ({ playlist: pathOf(`${name}.m3u8`), file: pathOf(`${name}.mp4`), ends: [700, 1000], track: null }))
})

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bobine-early-'))
  loadConfig({ overrides: { storage: { root: folder } } })
  await mkdir(hlsFolder(uuid), { recursive: true })
  for (const name of ['master', '144', '180', '240', '360', '0'])
    await writeFile(join(hlsFolder(uuid), `${name}.m3u8`), mediaPlaylist(name))
  await writeFile(join(hlsFolder(uuid), '480.m3u8'), mediaPlaylist('480', 600))
  await writeFile(join(hlsFolder(uuid), '540.m3u8'), mediaPlaylist('540').replace('700@0', '700@100'))
  await writeFile(join(hlsFolder(uuid), '1440.m3u8'), 'no playlist')
})
afterAll(async () => await rm(folder, { recursive: true, force: true }))

describe('early playback', () => {
  it.each([
    ['the smallest sufficient video rendition, and the audio', [1080, 720, 480, 360, 240, 144], {}, ['240', '0']],
    ['the next larger one where that is missing', [720, 360], {}, ['360', '0']],
    ['the largest of renditions that are all too small', [144, 180], {}, ['180', '0']],
    ['no audio where the video has none', [240], { sound: false }, ['240']],
    ['no video where there is only audio', [], {}, ['0']]
  ])('contains %s', async (_, sizes, options, first) => {
    const early = (await prepareEarlyPlayback(videoWith(sizes, options)))!
    expect(early.manifest).toEqual(manifestOf(first))
    expect(fileNames(Object.keys(early.texts))).toEqual(['master', ...first].map(name => `${name}.m3u8`))
    expect(Object.values(early.texts)).toContain(mediaPlaylist(first[0]!))
    expect(early).toMatchObject({ sources: [], files: [] })
  })
  it('preloads a long playlist beside the page, but still has a manifest', async () => {
    const long = (await prepareEarlyPlayback(videoWith([480])))!
    expect([fileNames(long.files), fileNames(Object.keys(long.texts)), long.sources]).toEqual([['480.m3u8'], ['master.m3u8', '0.m3u8'], []])
    expect(long.manifest).toEqual(manifestOf(['480', '0'], 1500))
  })
  it('preloads playlists that may still change or cannot be read', async () => {
    const growing = (await prepareEarlyPlayback(videoWith([240], { finished: false })))!
    expect([fileNames(growing.files), growing.texts, growing.manifest, growing.sources]).toEqual([
      ['master.m3u8', '240.m3u8', '0.m3u8'],
      {},
      null,
      ['src/player/hls.ts']
    ])
    const unreadable = (await prepareEarlyPlayback(videoWith([720])))!
    expect([fileNames(unreadable.files), unreadable.manifest, unreadable.sources]).toEqual([['720.m3u8'], null, ['src/player/hls.ts']])
  })
  it('describes the tracks of the files where the master playlist does', async () => {
    const tracksOf = async (text: string, options = {}) => {
      await writeFile(join(hlsFolder(uuid), 'master.m3u8'), text)
      try {
        return (await prepareEarlyPlayback(videoWith([240], options)))!.manifest!.files.map(({ track }) => track)
      } finally {
        await writeFile(join(hlsFolder(uuid), 'master.m3u8'), mediaPlaylist('master'))
      }
    }
    expect(await tracksOf(master)).toEqual([
      { type: 'video', id: 'main', container: 'video/mp4', codec: 'avc1.64001e' },
      { type: 'audio', id: 'audio', container: 'audio/mp4', codec: 'mp4a.40.2' }
    ])
    const muxedMaster = master
      .split('\n')
      .filter(line => !line.includes('MEDIA'))
      .join('\n')
      .replace(',AUDIO="sound"', '')
    expect(await tracksOf(muxedMaster, { sound: false })).toEqual([
      { type: 'audiovideo', id: 'main', container: 'video/mp4', codec: 'avc1.64001e,mp4a.40.2' }
    ])
    expect(await tracksOf(muxedMaster.replace('avc1.64001e,', ''), { sound: false })).toEqual([
      { type: 'audio', id: 'main', container: 'audio/mp4', codec: 'mp4a.40.2' }
    ])
    expect(await tracksOf(master.replace(/CODECS="[^"]*",/, ''))).toEqual([null, null])
  })
  it.each([540, 1440])('has no manifest where header and first segment are not at the head of the file (%s)', async size => {
    expect((await prepareEarlyPlayback(videoWith([size])))!.manifest).toBeNull()
  })
  it('only preloads the library for a remote video, and is undefined without playlists', async () => {
    expect(await prepareEarlyPlayback(videoWith([240], { isLocal: false }))).toEqual({
      sources: ['src/player/hls.ts'],
      files: [],
      texts: {},
      manifest: null
    })
    expect(await prepareEarlyPlayback({ isLocal: true, streamingPlaylists: [] } as unknown as VideoDetails)).toBeUndefined()
  })
})
