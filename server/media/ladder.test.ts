import { describe, expect, test } from 'vitest'
import { testLadderSettings as settings } from '../test/media-settings.ts'
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

function probeOf(
  videoChanges: Partial<VideoStream> = {},
  audioChanges: Partial<AudioStream> | null = {},
  probeChanges: Partial<Probe> = {}
): Probe {
  return {
    container: ['mov', 'mp4'],
    duration: 10,
    truncated: false,
    size: 5_000_000,
    bitrate: 4_200_000,
    subtitles: [],
    chapters: [],
    metadata: {},
    video: { ...video, ...videoChanges },
    audios: audioChanges ? [{ ...audio, ...audioChanges }] : [],
    ...probeChanges
  }
}
const plannedRenditions = (probe: Probe, settingsChange: Partial<LadderSettings> = {}) => {
  const plan = planLadder(probe, { ...settings, ...settingsChange })
  return [...(plan.copyVideo ? [plan.copyVideo] : []), ...plan.encode]
}

describe('sizes', () => {
  test.each<[string, Partial<VideoStream>, Partial<LadderSettings>, string[]]>([
    ['every enabled resolution up to the source', {}, {}, ['1920x1080', '1280x720', '854x480', '640x360', '426x240', '256x144']],
    [
      'portrait videos by their short side',
      { width: 1080, height: 1920 },
      {},
      ['1080x1920', '720x1280', '480x854', '360x640', '240x426', '144x256']
    ],
    ['wide video', { width: 1920, height: 800 }, { resolutions: [480, 720] }, ['1920x800', '1152x480']],
    [
      'a resolution just below the original is left out',
      { width: 1920, height: 1088 },
      { resolutions: [720, 1080] },
      ['1920x1088', '1270x720']
    ],
    [
      'the original is left out if others fit',
      { width: 1778, height: 1000 },
      { alwaysOriginal: false, resolutions: [480, 720, 1080] },
      ['1280x720', '854x480']
    ],
    ['a source below every resolution keeps its size', { width: 160, height: 90 }, { alwaysOriginal: false }, ['160x90']],
    ['audio alone enabled still gives a video rendition', { width: 160, height: 90 }, { resolutions: [0] }, ['160x90']],
    ['square', { width: 400, height: 400 }, { resolutions: [240] }, ['400x400', '240x240']],
    [
      'duplicate and unsorted settings',
      { width: 640, height: 480 },
      { resolutions: [240, 360, 240, 144] },
      ['640x480', '480x360', '320x240', '192x144']
    ]
  ])('%s', (_, videoChanges, settingsChange, expected) => {
    expect(plannedRenditions(probeOf(videoChanges), settingsChange).map(rendition => `${rendition.width}x${rendition.height}`)).toEqual(
      expected
    )
  })

  test('all are even and none is larger than the source', () => {
    for (const [width, height] of [
      [1918, 1078],
      [854, 482],
      [406, 720],
      [2, 2],
      [4096, 38]
    ] as const) {
      for (const rendition of plannedRenditions(probeOf({ width, height, rotation: 90 }))) {
        expect([rendition.width % 2, rendition.height % 2]).toEqual([0, 0])
        expect(rendition.width).toBeLessThanOrEqual(width)
        expect(rendition.height).toBeLessThanOrEqual(height)
      }
    }
  })
})

test('no rendition exceeds its share of the bit rate of the source', () => {
  for (const bitrate of [40_000, 400_000, 4_000_000, 40_000_000]) {
    for (const rendition of planLadder(probeOf({ bitrate, rotation: 90, width: 1080, height: 1920 }), settings).encode) {
      expect(rendition.maxrate).toBeLessThanOrEqual(Math.max(32_000, Math.ceil(bitrate * (rendition.resolution / 1080) ** 1.5)))
    }
  }
})

test('the initial encoder buffer and the MP4 tables are within that share', () => {
  for (const duration of [8, 14, 60, 7200]) {
    for (const rendition of planLadder(probeOf({ bitrate: 1_000_000, codec: 'hevc' }, {}, { duration }), settings).encode) {
      expect((rendition.maxrate * (duration + 1.8)) / duration + 100 * rendition.fps).toBeLessThanOrEqual(
        1_000_000 * (rendition.resolution / 1080) ** 1.5
      )
      expect(rendition.maxrate).toBeGreaterThan(0.7 * 1_000_000 * (rendition.resolution / 1080) ** 1.5)
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
    const plan = planLadder(probeOf({ fps, codec: 'hevc' }), { ...settings, maxFps })
    expect(plan.encode[0]?.fps).toBeCloseTo(expected, 5)
    expect(plan.keepsFrameTimes).toBe(fps === expected)
  })
})

describe('when the video stream is copied', () => {
  test.each<[string, Probe, boolean]>([
    ['plain H.264', probeOf(), true],
    ['Constrained Baseline in Matroska', probeOf({ profile: 'Constrained Baseline' }, {}, { container: ['matroska', 'webm'] }), true],
    ['full range', probeOf({ pixFmt: 'yuvj420p' }), true],
    ['HEVC', probeOf({ codec: 'hevc' }), false],
    ['ten bits', probeOf({ pixFmt: 'yuv420p10le', profile: 'High 10' }), false],
    ['4:4:4', probeOf({ pixFmt: 'yuv444p' }), false],
    ['rotated', probeOf({ rotation: 90 }), false],
    ['non-square pixels', probeOf({ squarePixels: false }), false],
    ['interlaced', probeOf({ interlaced: true }), false],
    ['sparse keyframes', probeOf({ keyframeInterval: 8 }), false],
    ['unknown keyframes', probeOf({ keyframeInterval: null }), false],
    ['frame rate above the cap', probeOf({ fps: 120 }), false],
    ['video starts late', probeOf({ start: 0.7 }), false],
    ['video ends early', probeOf({ duration: 3 }), false],
    ['variable frame rate with B-frames', probeOf({ variableFps: true }), false],
    ['variable frame rate without B-frames', probeOf({ variableFps: true, reordered: false }), true],
    ['AVI', probeOf({}, {}, { container: ['avi'] }), false],
    ['level 6', probeOf({ level: 60 }), false]
  ])('%s', (_, probe, isCopied) => {
    const plan = planLadder(probe, settings)
    expect(plan.copyVideo !== null).toBe(isCopied)
    expect(plan.encode[0]?.resolution).toBe(isCopied ? 720 : 1080)
  })

  test('not above the configured bitrate, nor if the original resolution is not enabled', () => {
    expect(planLadder(probeOf(), { ...settings, maxCopyBitrate: 3_000_000 }).copyVideo).toBeNull()
    expect(planLadder(probeOf(), { ...settings, alwaysOriginal: false, resolutions: [720] }).copyVideo).toBeNull()
    expect(planLadder(probeOf(), { ...settings, alwaysOriginal: false, resolutions: [720, 1080] }).copyVideo?.resolution).toBe(1080)
  })
})

describe('audio', () => {
  test.each<[string, Probe, 'copy' | 'encode' | 'none']>([
    ['AAC', probeOf(), 'copy'],
    ['none', probeOf({}, null), 'none'],
    ['Opus', probeOf({}, { codec: 'opus' }), 'encode'],
    ['HE-AAC', probeOf({}, { profile: 'HE-AAC' }), 'encode'],
    ['six channels', probeOf({}, { channels: 6 }), 'encode'],
    ['high bitrate', probeOf({}, { bitrate: 320_000 }), 'encode'],
    ['96 kHz', probeOf({}, { sampleRate: 96_000 }), 'encode'],
    ['late', probeOf({}, { start: 0.5 }), 'encode'],
    ['ends early', probeOf({}, { duration: 5 }), 'encode'],
    ['AAC in AVI', probeOf({}, {}, { container: ['avi'] }), 'encode']
  ])('%s', (_, probe, expected) => {
    expect(planLadder(probe, settings).audios.map(({ copy }) => (copy ? 'copy' : 'encode'))).toEqual(expected === 'none' ? [] : [expected])
  })

  test('several tracks are separate renditions, each copied or encoded, with BCP 47 languages and unique names', () => {
    const streams = [
      { language: 'fre', title: 'Version\n"originale" ' },
      { language: 'eng', codec: 'ac3' },
      { language: 'en' },
      { language: 'x y', title: null },
      { title: 'x'.repeat(100) },
      { language: 'eng', title: 'English' }
    ].map((stream, index) => ({ ...audio, index, ...stream }))
    const plan = planLadder(probeOf({}, {}, { audios: streams }), { ...settings, splitAudio: false })
    expect(plan).toMatchObject({ splitAudio: true, audioRendition: true })
    expect(plan.audios.map(({ stream, copy, language, name }) => [stream.index, copy, language, name])).toEqual([
      [0, true, 'fr', 'Version originale'],
      [1, false, 'en', 'English'],
      [2, true, 'en', 'English 2'],
      [3, true, null, 'Audio'],
      [4, true, null, 'x'.repeat(60)],
      [5, true, 'en', 'English 3']
    ])
    expect(
      planLadder(probeOf({}, {}, { audios: streams }), { ...settings, maxAudioTracks: 1 }).audios.map(({ stream }) => stream.index)
    ).toEqual([0])
  })

  test('has a rendition of its own if it is shared or resolution 0 is enabled', () => {
    expect(planLadder(probeOf(), settings).audioRendition).toBe(true)
    expect(planLadder(probeOf(), { ...settings, splitAudio: false }).audioRendition).toBe(false)
    expect(planLadder(probeOf(), { ...settings, splitAudio: false, resolutions: [0, 480] }).audioRendition).toBe(true)
    expect(planLadder(probeOf({}, null), settings).audioRendition).toBe(false)
  })
})

test('an audio file gets one still rendition', () => {
  for (const probe of [probeOf({}, {}, { video: null }), probeOf({ attachedPic: true, width: 3000, height: 3000 })]) {
    expect(planLadder(probe, settings)).toMatchObject({
      audioOnly: true,
      copyVideo: null,
      encode: [{ resolution: 360, width: 640, height: 360, fps: 2 }]
    })
  }
})
