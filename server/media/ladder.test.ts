import { describe, expect, test } from 'vitest'
import { testLadderSettings as settings } from '../test/media-fixtures.ts'
import { planLadder, type LadderSettings } from './ladder.ts'
import type { AudioStream, Probe, VideoStream } from './probe.ts'

const video: VideoStream = {
  index: 0,
  codec: 'h264',
  profile: 'High',
  level: 40,
  pixFmt: 'yuv420p',
  width: 1920,
  height: 1080,
  rotation: 0,
  squarePixels: true,
  fps: 30,
  variableFps: false,
  reordered: true,
  bitrate: 4_000_000,
  frames: 300,
  start: 0,
  duration: 10,
  keyframeInterval: 2,
  attachedPic: false,
  hdr: false,
  transfer: 'bt709',
  interlaced: false,
  codecString: 'avc1.640028'
}
const audio: AudioStream = {
  index: 1,
  codec: 'aac',
  profile: 'LC',
  channels: 2,
  sampleRate: 48_000,
  bitrate: 128_000,
  start: 0,
  duration: 10,
  language: null,
  title: null
}

function source(changes: Partial<VideoStream> = {}, sound: Partial<AudioStream> | null = {}, rest: Partial<Probe> = {}): Probe {
  return {
    container: ['mov', 'mp4'],
    duration: 10,
    truncated: false,
    size: 5_000_000,
    bitrate: 4_200_000,
    subtitles: [],
    chapters: [],
    metadata: {},
    video: { ...video, ...changes },
    audios: sound ? [{ ...audio, ...sound }] : [],
    ...rest
  }
}
const rungs = (probe: Probe, change: Partial<LadderSettings> = {}) => {
  const made = planLadder(probe, { ...settings, ...change })
  return [...(made.copyVideo ? [made.copyVideo] : []), ...made.encode]
}

describe('sizes', () => {
  test.each<[string, Partial<VideoStream>, Partial<LadderSettings>, string[]]>([
    ['every enabled one up to the source', {}, {}, ['1920x1080', '1280x720', '854x480', '640x360', '426x240', '256x144']],
    [
      'tall pictures by their short side',
      { width: 1080, height: 1920 },
      {},
      ['1080x1920', '720x1280', '480x854', '360x640', '240x426', '144x256']
    ],
    ['wide film', { width: 1920, height: 800 }, { resolutions: [480, 720] }, ['1920x800', '1152x480']],
    [
      'a size just below the original is not worth a rung',
      { width: 1920, height: 1088 },
      { resolutions: [720, 1080] },
      ['1920x1088', '1270x720']
    ],
    [
      'the original left out where others fit',
      { width: 1778, height: 1000 },
      { alwaysOriginal: false, resolutions: [480, 720, 1080] },
      ['1280x720', '854x480']
    ],
    ['a source below every size stays as it is', { width: 160, height: 90 }, { alwaysOriginal: false }, ['160x90']],
    ['sound alone enabled still shows the picture', { width: 160, height: 90 }, { resolutions: [0] }, ['160x90']],
    ['square', { width: 400, height: 400 }, { resolutions: [240] }, ['400x400', '240x240']],
    [
      'doubled and unsorted settings',
      { width: 640, height: 480 },
      { resolutions: [240, 360, 240, 144] },
      ['640x480', '480x360', '320x240', '192x144']
    ]
  ])('%s', (_, changes, change, expected) => {
    expect(rungs(source(changes), change).map(rung => `${rung.width}x${rung.height}`)).toEqual(expected)
  })

  test('all are even and none is larger than the source', () => {
    for (const [width, height] of [
      [1918, 1078],
      [854, 482],
      [406, 720],
      [2, 2],
      [4096, 38]
    ] as const) {
      for (const rung of rungs(source({ width, height, rotation: 90 }))) {
        expect([rung.width % 2, rung.height % 2]).toEqual([0, 0])
        expect(rung.width).toBeLessThanOrEqual(width)
        expect(rung.height).toBeLessThanOrEqual(height)
      }
    }
  })
})

test('no rung gets more bits than its share of the source', () => {
  for (const bitrate of [40_000, 400_000, 4_000_000, 40_000_000]) {
    for (const rung of planLadder(source({ bitrate, rotation: 90, width: 1080, height: 1920 }), settings).encode) {
      expect(rung.maxrate).toBeLessThanOrEqual(Math.max(32_000, Math.ceil(bitrate * (rung.resolution / 1080) ** 1.5)))
    }
  }
})

test('what an encoder may spend at the beginning, and the tables of the file, are within that share', () => {
  for (const duration of [8, 14, 60, 7200]) {
    for (const rung of planLadder(source({ bitrate: 1_000_000, codec: 'hevc' }, {}, { duration }), settings).encode) {
      expect((rung.maxrate * (duration + 1.8)) / duration + 100 * rung.fps).toBeLessThanOrEqual(1_000_000 * (rung.resolution / 1080) ** 1.5)
      expect(rung.maxrate).toBeGreaterThan(0.7 * 1_000_000 * (rung.resolution / 1080) ** 1.5)
    }
  }
})

describe('frame rates', () => {
  test.each([
    [25, 60, 25],
    [59.94, 60, 59.94],
    [60.2, 60, 60.2],
    [120, 60, 60],
    [100, 60, 50],
    [90, 60, 45],
    [50, 30, 25],
    [240, 60, 60]
  ])('%d under a cap of %d is %d', (fps, maxFps, expected) => {
    const made = planLadder(source({ fps, codec: 'hevc' }), { ...settings, maxFps })
    expect(made.encode[0]?.fps).toBeCloseTo(expected, 5)
    expect(made.keepsFrameTimes).toBe(fps === expected)
  })
})

describe('the picture is copied', () => {
  test.each<[string, Probe, boolean]>([
    ['plain H.264', source(), true],
    ['Constrained Baseline in Matroska', source({ profile: 'Constrained Baseline' }, {}, { container: ['matroska', 'webm'] }), true],
    ['full range', source({ pixFmt: 'yuvj420p' }), true],
    ['HEVC', source({ codec: 'hevc' }), false],
    ['ten bits', source({ pixFmt: 'yuv420p10le', profile: 'High 10' }), false],
    ['4:4:4', source({ pixFmt: 'yuv444p' }), false],
    ['rotated', source({ rotation: 90 }), false],
    ['oblong pixels', source({ squarePixels: false }), false],
    ['interlaced', source({ interlaced: true }), false],
    ['sparse keyframes', source({ keyframeInterval: 8 }), false],
    ['unknown keyframes', source({ keyframeInterval: null }), false],
    ['too fast', source({ fps: 120 }), false],
    ['late picture', source({ start: 0.7 }), false],
    ['picture ends early', source({ duration: 3 }), false],
    ['uneven and reordered', source({ variableFps: true }), false],
    ['uneven but in order', source({ variableFps: true, reordered: false }), true],
    ['AVI', source({}, {}, { container: ['avi'] }), false],
    ['level 6', source({ level: 60 }), false]
  ])('%s', (_, probe, copied) => {
    const made = planLadder(probe, settings)
    expect(made.copyVideo !== null).toBe(copied)
    expect(made.encode[0]?.resolution).toBe(copied ? 720 : 1080)
  })

  test('not above a bitrate that is set, nor where the original size is not wanted', () => {
    expect(planLadder(source(), { ...settings, maxCopyBitrate: 3_000_000 }).copyVideo).toBeNull()
    expect(planLadder(source(), { ...settings, alwaysOriginal: false, resolutions: [720] }).copyVideo).toBeNull()
    expect(planLadder(source(), { ...settings, alwaysOriginal: false, resolutions: [720, 1080] }).copyVideo?.resolution).toBe(1080)
  })
})

describe('the sound', () => {
  test.each<[string, Probe, 'copy' | 'encode' | 'none']>([
    ['AAC', source(), 'copy'],
    ['none', source({}, null), 'none'],
    ['Opus', source({}, { codec: 'opus' }), 'encode'],
    ['HE-AAC', source({}, { profile: 'HE-AAC' }), 'encode'],
    ['six channels', source({}, { channels: 6 }), 'encode'],
    ['many bits', source({}, { bitrate: 320_000 }), 'encode'],
    ['96 kHz', source({}, { sampleRate: 96_000 }), 'encode'],
    ['late', source({}, { start: 0.5 }), 'encode'],
    ['ends early', source({}, { duration: 5 }), 'encode'],
    ['AAC in AVI', source({}, {}, { container: ['avi'] }), 'encode']
  ])('%s', (_, probe, expected) => {
    expect(planLadder(probe, settings).audios.map(({ copy }) => (copy ? 'copy' : 'encode'))).toEqual(expected === 'none' ? [] : [expected])
  })

  test('several tracks stand apart, each by itself copied or encoded, with languages as playlists write them and names that differ', () => {
    const tracks = [
      { language: 'fre', title: 'Version\n"originale" ' },
      { language: 'eng', codec: 'ac3' },
      { language: 'en' },
      { language: 'x y', title: null },
      { title: 'x'.repeat(100) },
      { language: 'eng', title: 'English' }
    ].map((one, index) => ({ ...audio, index, ...one }))
    const made = planLadder(source({}, {}, { audios: tracks }), { ...settings, splitAudio: false })
    expect(made).toMatchObject({ splitAudio: true, audioRendition: true })
    expect(made.audios.map(({ stream, copy, language, name }) => [stream.index, copy, language, name])).toEqual([
      [0, true, 'fr', 'Version originale'],
      [1, false, 'en', 'English'],
      [2, true, 'en', 'English 2'],
      [3, true, null, 'Audio'],
      [4, true, null, 'x'.repeat(60)],
      [5, true, 'en', 'English 3']
    ])
    expect(
      planLadder(source({}, {}, { audios: tracks }), { ...settings, maxAudioTracks: 1 }).audios.map(({ stream }) => stream.index)
    ).toEqual([0])
  })

  test('stands apart where it is shared or asked for', () => {
    expect(planLadder(source(), settings).audioRendition).toBe(true)
    expect(planLadder(source(), { ...settings, splitAudio: false }).audioRendition).toBe(false)
    expect(planLadder(source(), { ...settings, splitAudio: false, resolutions: [0, 480] }).audioRendition).toBe(true)
    expect(planLadder(source({}, null), settings).audioRendition).toBe(false)
  })
})

test('sound without a moving picture gets one still rung', () => {
  for (const probe of [source({}, {}, { video: null }), source({ attachedPic: true, width: 3000, height: 3000 })]) {
    expect(planLadder(probe, settings)).toMatchObject({
      audioOnly: true,
      copyVideo: null,
      encode: [{ resolution: 360, width: 640, height: 360, fps: 2 }]
    })
  }
})
