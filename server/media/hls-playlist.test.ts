import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  probeDecodedStream,
  h264Args,
  testLadderSettings,
  runFfmpegIn,
  videoInputArgs,
  createScratchFolder,
  toneInputArgs,
  unlimitedProbeLimits
} from '../test/media-fixtures.ts'
import { copyToHls, encodeToHls, type HlsOutput } from './hls.ts'
import { planLadder } from './ladder.ts'
import {
  describeVariant,
  buildMasterPlaylist,
  readMediaPlaylist,
  hashSegments,
  writeFileAtomically,
  type HlsVariant
} from './hls-playlist.ts'
import { probeMedia } from './probe.ts'

let place: Awaited<ReturnType<typeof createScratchFolder>>
let outputs: HlsOutput[]
const at = (name: string) => join(place.folder, name)

beforeAll(async () => {
  place = await createScratchFolder()
  await runFfmpegIn(place.folder, ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, '-c:a', 'aac', 'plain.mp4')
  const found = await probeMedia(at('plain.mp4'), unlimitedProbeLimits)
  const made = planLadder(found, testLadderSettings)
  const runs = [copyToHls(at('plain.mp4'), place.folder, made, found, {}), encodeToHls(at('plain.mp4'), place.folder, made, found, {})]
  await Promise.all(runs.map(run => run.done))
  outputs = runs.flatMap(run => run.outputs)
})
afterAll(() => place.remove())

test('a growing playlist is read as far as it goes', async () => {
  await writeFile(
    at('growing.m3u8'),
    '#EXTM3U\r\n#EXT-X-VERSION:7\r\n#EXT-X-TARGETDURATION:3\r\n#EXT-X-MAP:URI="a.mp4",BYTERANGE="700@0"\r\n#EXTINF:2.5,\r\n#EXT-X-BYTERANGE:100@700\r\na.mp4\r\n#EXTINF:2,\r\n#EXT-X-BYTERANGE:50\r\na.mp4\r\n#EXTINF:2'
  )
  expect(await readMediaPlaylist(at('growing.m3u8'))).toEqual({
    targetDuration: 3,
    ended: false,
    init: { uri: 'a.mp4', byterange: { offset: 0, length: 700 } },
    segments: [
      { uri: 'a.mp4', duration: 2.5, byterange: { offset: 700, length: 100 } },
      { uri: 'a.mp4', duration: 2, byterange: { offset: 800, length: 50 } }
    ]
  })
  await writeFile(at('none.m3u8'), 'hello')
  await expect(readMediaPlaylist(at('none.m3u8'))).rejects.toThrow('no playlist')
  await expect(readMediaPlaylist(at('absent.m3u8'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('hashes are those of the very bytes, last one included', async () => {
  const hashes = await hashSegments(place.folder, outputs)
  expect(Object.keys(hashes).sort()).toEqual(outputs.map(output => output.file).sort())
  for (const output of outputs) {
    const bytes = await readFile(at(output.file))
    const list = await readMediaPlaylist(at(output.playlist))
    const ranges = Object.entries(hashes[output.file] ?? {})
    expect(ranges).toHaveLength(list.segments.length)
    let next = list.init?.byterange?.length ?? 0
    for (const [range, hash] of ranges) {
      const [first, last] = range.split('-').map(Number) as [number, number]
      expect(first).toBe(next)
      expect(
        createHash('sha256')
          .update(bytes.subarray(first, last + 1))
          .digest('hex')
      ).toBe(hash)
      next = last + 1
    }
    expect(next).toBe(bytes.length)
  }
})

test('a variant is measured from the file', async () => {
  for (const output of outputs) {
    const variant = await describeVariant(place.folder, output)
    const bytes = (await readFile(at(output.file))).length
    expect(variant.averageBandwidth).toBeGreaterThan(((bytes * 8) / 5) * 0.9)
    expect(variant.averageBandwidth).toBeLessThan(((bytes * 8) / 5) * 1.1)
    expect(variant.bandwidth).toBeGreaterThanOrEqual(variant.averageBandwidth)
    if (output.kind === 'audio') {
      expect(variant).toMatchObject({ resolution: 0, width: 0, fps: 0, codecs: 'mp4a.40.2' })
      continue
    }
    const stream = await probeDecodedStream(at(output.file))
    expect(variant).toMatchObject({ resolution: output.resolution, width: stream.width, height: stream.height, fps: 25 })
    expect(variant.codecs).toMatch(/^avc1\.[0-9a-f]{6}$/)
    expect(Number.parseInt(variant.codecs.slice(-2), 16)).toBe(Number(stream.level))
  }
})

describe('the master playlist', () => {
  const rung = (resolution: number, fps = 29.97002997): HlsVariant => ({
    playlist: `x-${resolution}.m3u8`,
    resolution,
    width: (resolution * 16) / 9,
    height: resolution,
    fps,
    bandwidth: resolution * 1000,
    averageBandwidth: resolution * 800,
    codecs: 'avc1.64001f'
  })
  const sound = {
    sound: { track: 0, language: null, name: 'Audio' },
    playlist: 'x-0.m3u8',
    resolution: 0,
    width: 0,
    height: 0,
    fps: 0,
    bandwidth: 130_000,
    averageBandwidth: 128_000,
    codecs: 'mp4a.40.2'
  }

  test('with shared sound: a group, highest rung first, bandwidth with the sound', () => {
    expect(buildMasterPlaylist([rung(360), rung(720)], [sound])).toBe(
      [
        '#EXTM3U',
        '#EXT-X-VERSION:7',
        '#EXT-X-INDEPENDENT-SEGMENTS',
        '',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="Audio",DEFAULT=YES,AUTOSELECT=YES,URI="x-0.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=850000,AVERAGE-BANDWIDTH=704000,RESOLUTION=1280x720,FRAME-RATE=29.97,CODECS="avc1.64001f,mp4a.40.2",AUDIO="aud"',
        'x-720.m3u8',
        '#EXT-X-STREAM-INF:BANDWIDTH=490000,AVERAGE-BANDWIDTH=416000,RESOLUTION=640x360,FRAME-RATE=29.97,CODECS="avc1.64001f,mp4a.40.2",AUDIO="aud"',
        'x-360.m3u8',
        ''
      ].join('\n')
    )
  })

  test('with several sounds: one group, the one to begin with first, bandwidth with the heaviest', () => {
    const french = { ...sound, playlist: 'x-fr.m3u8', sound: { track: 0, language: 'fr', name: 'Version originale' } }
    const english = {
      ...sound,
      playlist: 'x-en.m3u8',
      bandwidth: 260_000,
      averageBandwidth: 256_000,
      codecs: 'mp4a.40.5',
      sound: { track: 1, language: 'en', name: 'English' }
    }
    expect(
      buildMasterPlaylist([rung(720, 25)], [english, french])
        .split('\n')
        .slice(4)
    ).toEqual([
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="Version originale",LANGUAGE="fr",DEFAULT=YES,AUTOSELECT=YES,URI="x-fr.m3u8"',
      '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="English",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,URI="x-en.m3u8"',
      '#EXT-X-STREAM-INF:BANDWIDTH=980000,AVERAGE-BANDWIDTH=832000,RESOLUTION=1280x720,FRAME-RATE=25,CODECS="avc1.64001f,mp4a.40.2,mp4a.40.5",AUDIO="aud"',
      'x-720.m3u8',
      ''
    ])
  })

  test('without sound, and with sound alone', () => {
    expect(buildMasterPlaylist([rung(720, 25)], [])).toContain(
      'BANDWIDTH=720000,AVERAGE-BANDWIDTH=576000,RESOLUTION=1280x720,FRAME-RATE=25,CODECS="avc1.64001f"\nx-720.m3u8\n'
    )
    const alone = buildMasterPlaylist([], [sound])
    expect(alone).toContain('#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2"\nx-0.m3u8\n')
    expect(alone).not.toContain('EXT-X-MEDIA:')
  })

  test('ffmpeg plays it, picture and sound', async () => {
    const videos = outputs.filter(output => output.kind === 'video')
    const audio = outputs.find(output => output.kind === 'audio')
    const variants = await Promise.all(videos.map(output => describeVariant(place.folder, output)))
    await writeFileAtomically(
      at('master.m3u8'),
      buildMasterPlaylist(variants, audio ? [{ ...(await describeVariant(place.folder, audio)), sound: audio.sound! }] : [])
    )
    expect((await probeDecodedStream(at('master.m3u8'))).nb_read_frames).toBe('125')
    expect(await probeDecodedStream(at('master.m3u8'), 'a:0')).toMatchObject({ codec_name: 'aac' })
  })
})

test('a text file is replaced as a whole and leaves no draft', async () => {
  await writeFileAtomically(at('text'), 'old')
  const reads: string[] = []
  const writing = (async () => {
    for (let i = 0; i < 50; i++) await writeFileAtomically(at('text'), `${'x'.repeat(100_000)}${i}`)
  })()
  for (let i = 0; i < 50; i++) reads.push(await readFile(at('text'), 'utf8'))
  await writing
  expect(reads.every(text => text === 'old' || text.length > 100_000)).toBe(true)
  expect((await readdir(place.folder)).filter(name => name.startsWith('.'))).toEqual([])
  await expect(writeFileAtomically(at('no/such/folder'), 'x')).rejects.toMatchObject({ code: 'ENOENT' })
})
