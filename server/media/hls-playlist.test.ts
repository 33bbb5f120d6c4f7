import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { probeDecodedStream, h264Args, runFfmpegIn, videoInputArgs, createScratchFolder, toneInputArgs } from '../test/media-fixtures.ts'
import { testLadderSettings, unlimitedProbeLimits } from '../test/media-settings.ts'
import { copyToHls, encodeToHls, type HlsOutput } from './hls.ts'
import { planLadder } from './ladder.ts'
import {
  describeVariant,
  buildMasterPlaylist,
  buildSubtitlePlaylist,
  parseMediaPlaylist,
  readMediaPlaylist,
  hashSegments,
  writeFileAtomically,
  type HlsVariant
} from './hls-playlist.ts'
import { probeMedia } from './probe.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
let outputs: HlsOutput[]
const pathOf = (name: string) => join(scratch.folder, name)

beforeAll(async () => {
  scratch = await createScratchFolder()
  await runFfmpegIn(scratch.folder, ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, '-c:a', 'aac', 'plain.mp4')
  const probe = await probeMedia(pathOf('plain.mp4'), unlimitedProbeLimits)
  const plan = planLadder(probe, testLadderSettings)
  const runs = [
    copyToHls(pathOf('plain.mp4'), scratch.folder, plan, probe, {}),
    encodeToHls(pathOf('plain.mp4'), scratch.folder, plan, probe, {})
  ]
  await Promise.all(runs.map(run => run.done))
  outputs = runs.flatMap(run => run.outputs)
})
afterAll(() => scratch.remove())

test('a growing playlist is read up to its last complete segment', async () => {
  await writeFile(
    pathOf('growing.m3u8'),
    '#EXTM3U\r\n#EXT-X-VERSION:7\r\n#EXT-X-TARGETDURATION:3\r\n#EXT-X-MAP:URI="a.mp4",BYTERANGE="700@0"\r\n#EXTINF:2.5,\r\n#EXT-X-BYTERANGE:100@700\r\na.mp4\r\n#EXTINF:2,\r\n#EXT-X-BYTERANGE:50\r\na.mp4\r\n#EXTINF:2'
  )
  expect(await readMediaPlaylist(pathOf('growing.m3u8'))).toEqual({
    targetDuration: 3,
    ended: false,
    init: { uri: 'a.mp4', byterange: { offset: 0, length: 700 } },
    segments: [
      { uri: 'a.mp4', duration: 2.5, byterange: { offset: 700, length: 100 } },
      { uri: 'a.mp4', duration: 2, byterange: { offset: 800, length: 50 } }
    ]
  })
  await writeFile(pathOf('none.m3u8'), 'hello')
  await expect(readMediaPlaylist(pathOf('none.m3u8'))).rejects.toThrow('no playlist')
  await expect(readMediaPlaylist(pathOf('absent.m3u8'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('hashes cover exactly the bytes of each range, last one included', async () => {
  const hashes = await hashSegments(scratch.folder, outputs)
  expect(Object.keys(hashes).sort()).toEqual(outputs.map(output => output.file).sort())
  for (const output of outputs) {
    const bytes = await readFile(pathOf(output.file))
    const list = await readMediaPlaylist(pathOf(output.playlist))
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

test('the attributes of a variant are measured from the file', async () => {
  for (const output of outputs) {
    const variant = await describeVariant(scratch.folder, output)
    const bytes = (await readFile(pathOf(output.file))).length
    expect(variant.averageBandwidth).toBeGreaterThan(((bytes * 8) / 5) * 0.9)
    expect(variant.averageBandwidth).toBeLessThan(((bytes * 8) / 5) * 1.1)
    expect(variant.bandwidth).toBeGreaterThanOrEqual(variant.averageBandwidth)
    if (output.kind === 'audio') {
      expect(variant).toMatchObject({ resolution: 0, width: 0, fps: 0, codecs: 'mp4a.40.2' })
      continue
    }
    const stream = await probeDecodedStream(pathOf(output.file))
    expect(variant).toMatchObject({ resolution: output.resolution, width: stream.width, height: stream.height, fps: 25 })
    expect(variant.codecs).toMatch(/^avc1\.[0-9a-f]{6}$/)
    expect(Number.parseInt(variant.codecs.slice(-2), 16)).toBe(Number(stream.level))
  }
})

describe('the master playlist', () => {
  const variant = (resolution: number, fps = 29.97002997): HlsVariant => ({
    playlist: `x-${resolution}.m3u8`,
    resolution,
    width: (resolution * 16) / 9,
    height: resolution,
    fps,
    bandwidth: resolution * 1000,
    averageBandwidth: resolution * 800,
    codecs: 'avc1.64001f'
  })
  const audioVariant = {
    audioTrack: { track: 0, language: null, name: 'Audio' },
    playlist: 'x-0.m3u8',
    resolution: 0,
    width: 0,
    height: 0,
    fps: 0,
    bandwidth: 130_000,
    averageBandwidth: 128_000,
    codecs: 'mp4a.40.2'
  }

  test('with shared audio: a group, highest rendition first, bandwidth including the audio', () => {
    expect(buildMasterPlaylist([variant(360), variant(720)], [audioVariant])).toBe(
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

  test('with several audio tracks: one group, the default first, bandwidth including the largest', () => {
    const french = { ...audioVariant, playlist: 'x-fr.m3u8', audioTrack: { track: 0, language: 'fr', name: 'Version originale' } }
    const english = {
      ...audioVariant,
      playlist: 'x-en.m3u8',
      bandwidth: 260_000,
      averageBandwidth: 256_000,
      codecs: 'mp4a.40.5',
      audioTrack: { track: 1, language: 'en', name: 'English' }
    }
    expect(
      buildMasterPlaylist([variant(720, 25)], [english, french])
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

  test('without audio, and with audio alone', () => {
    expect(buildMasterPlaylist([variant(720, 25)], [])).toContain(
      'BANDWIDTH=720000,AVERAGE-BANDWIDTH=576000,RESOLUTION=1280x720,FRAME-RATE=25,CODECS="avc1.64001f"\nx-720.m3u8\n'
    )
    const audioOnly = buildMasterPlaylist([], [audioVariant])
    expect(audioOnly).toContain('#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2"\nx-0.m3u8\n')
    expect(audioOnly).not.toContain('EXT-X-MEDIA:')
  })

  test('subtitles are a group of every variant; forced ones and those for the hearing impaired are marked', () => {
    const subtitles = (['subtitles', 'hearing_impaired', 'forced'] as const).map(kind => ({
      playlist: `${kind}.m3u8`,
      language: 'en',
      name: `English ${kind}`,
      kind
    }))
    const lines = buildMasterPlaylist([variant(720, 25), variant(360, 25)], [], subtitles).split('\n')
    const shared = 'GROUP-ID="subs",NAME="English'
    expect(lines.filter(line => line.includes('TYPE=SUBTITLES'))).toEqual([
      `#EXT-X-MEDIA:TYPE=SUBTITLES,${shared} subtitles",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,URI="subtitles.m3u8"`,
      `#EXT-X-MEDIA:TYPE=SUBTITLES,${shared} hearing_impaired",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound",URI="hearing_impaired.m3u8"`,
      `#EXT-X-MEDIA:TYPE=SUBTITLES,${shared} forced",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="forced.m3u8"`
    ])
    expect(lines.filter(line => line.startsWith('#EXT-X-STREAM-INF') && line.endsWith(',SUBTITLES="subs"'))).toHaveLength(2)
    expect(buildMasterPlaylist([], [audioVariant], subtitles)).toContain('CODECS="mp4a.40.2",SUBTITLES="subs"\nx-0.m3u8\n')
  })

  test('the playlist of subtitles has one segment as long as the video', () => {
    const text = buildSubtitlePlaylist('a-en.vtt', 61.2)
    expect(parseMediaPlaylist(text)).toEqual({
      segments: [{ uri: 'a-en.vtt', duration: 61.2, byterange: null }],
      init: null,
      ended: true,
      targetDuration: 62
    })
    expect(parseMediaPlaylist(buildSubtitlePlaylist('a.vtt', 0)).targetDuration).toBe(1)
  })

  test('ffmpeg plays it, video and audio', async () => {
    const videos = outputs.filter(output => output.kind === 'video')
    const audio = outputs.find(output => output.kind === 'audio')
    const variants = await Promise.all(videos.map(output => describeVariant(scratch.folder, output)))
    await writeFileAtomically(
      pathOf('master.m3u8'),
      buildMasterPlaylist(variants, audio ? [{ ...(await describeVariant(scratch.folder, audio)), audioTrack: audio.audioTrack! }] : [])
    )
    expect((await probeDecodedStream(pathOf('master.m3u8'))).nb_read_frames).toBe('125')
    expect(await probeDecodedStream(pathOf('master.m3u8'), 'a:0')).toMatchObject({ codec_name: 'aac' })
  })
})

test('a text file is replaced atomically and leaves no temporary file', async () => {
  await writeFileAtomically(pathOf('text'), 'old')
  const reads: string[] = []
  const writing = (async () => {
    for (let i = 0; i < 50; i++) await writeFileAtomically(pathOf('text'), `${'x'.repeat(100_000)}${i}`)
  })()
  for (let i = 0; i < 50; i++) reads.push(await readFile(pathOf('text'), 'utf8'))
  await writing
  expect(reads.every(text => text === 'old' || text.length > 100_000)).toBe(true)
  expect((await readdir(scratch.folder)).filter(name => name.startsWith('.'))).toEqual([])
  await expect(writeFileAtomically(pathOf('no/such/folder'), 'x')).rejects.toMatchObject({ code: 'ENOENT' })
})
