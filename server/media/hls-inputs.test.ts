import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  probeDecodedStream,
  probeDecodedStreamWithTimes,
  h264Args,
  encodeLadder,
  runFfmpegIn,
  videoInputArgs,
  createScratchFolder,
  toneInputArgs
} from '../test/media-fixtures.ts'
import { readMediaPlaylist } from './hls-playlist.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  scratch = await createScratchFolder()
})
afterAll(async () => await scratch.remove())

/** A test video with a tone; `seconds` and `rate` are expected of the output too. */
type InputCase = {
  name: string
  size?: string
  rate?: number
  seconds?: number
  video: string[]
  audio?: string[] | null
  expectedRate?: number
  topSize?: [width: number, height: number]
  copiesVideo?: boolean
}

const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none']
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8']
const AAC = ['-c:a', 'aac']

test.each<[string, InputCase]>([
  ['HEVC', { name: 'hevc.mp4', video: X265 }],
  ['HEVC of 10 bits in Matroska, AC-3', { name: 'main10.mkv', video: [...X265, '-pix_fmt', 'yuv420p10le'], audio: ['-c:a', 'ac3'] }],
  [
    'VP8 and Vorbis in WebM',
    { name: 'vp8.webm', video: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8'], audio: ['-c:a', 'libvorbis'] }
  ],
  ['VP9 of 4:4:4 and Opus in WebM', { name: 'vp9.webm', video: [...VP9, '-pix_fmt', 'yuv444p'], audio: ['-c:a', 'libopus'] }],
  [
    'AV1 in Matroska, FLAC',
    { name: 'av1.mkv', video: ['-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime'], audio: ['-c:a', 'flac'] }
  ],
  [
    'AV1 and Opus in MP4',
    { name: 'av1.mp4', video: ['-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime'], audio: ['-c:a', 'libopus'] }
  ],
  ['H.264 of 10 bits, 4:2:2', { name: 'high422.mp4', video: [...h264Args, '-pix_fmt', 'yuv422p10le'] }],
  ['ProRes and PCM in QuickTime', { name: 'prores.mov', video: ['-c:v', 'prores'], audio: ['-c:a', 'pcm_s24le'] }],
  ['lossless FFV1', { name: 'ffv1.mkv', video: ['-c:v', 'ffv1', '-pix_fmt', 'yuv444p'], audio: ['-c:a', 'pcm_s16le'] }],
  ['MPEG-2 and MP2 in a program stream', { name: 'dvd.mpg', video: ['-c:v', 'mpeg2video', '-g', '15'], audio: ['-c:a', 'mp2'] }],
  ['MPEG-2 and AC-3 in a transport stream', { name: 'broadcast.ts', video: ['-c:v', 'mpeg2video', '-g', '15'], audio: ['-c:a', 'ac3'] }],
  ['H.264 in a transport stream, E-AC-3', { name: 'cable.ts', video: h264Args, audio: ['-c:a', 'eac3'], copiesVideo: true }],
  ['MPEG-4 and MP3 in AVI', { name: 'divx.avi', video: ['-c:v', 'mpeg4'], audio: ['-c:a', 'libmp3lame'] }],
  ['Motion JPEG in AVI', { name: 'camera.avi', video: ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj422p'], audio: ['-c:a', 'pcm_s16le'] }],
  ['Windows Media', { name: 'media.wmv', video: ['-c:v', 'wmv2'], audio: ['-c:a', 'wmav2'] }],
  ['Flash', { name: 'flash.flv', video: ['-c:v', 'flv'], audio: ['-c:a', 'libmp3lame', '-ar', '44100'] }],
  ['Theora', { name: 'theora.ogv', video: ['-c:v', 'libtheora'], audio: ['-c:a', 'libvorbis'] }],
  ['5.1 audio', { name: 'surround.mp4', video: h264Args, audio: [...AAC, '-ac', '6'], copiesVideo: true }],
  ['60 frames a second', { name: 'sixty.mp4', rate: 60, video: [...h264Args, '-g', '120'], copiesVideo: true }],
  ['100 frames a second', { name: 'hundred.mp4', rate: 100, expectedRate: 50, video: h264Args }],
  ['24000/1001 frames a second', { name: 'cinema.mp4', rate: 24_000 / 1001, seconds: 4, video: h264Args, copiesVideo: true }],
  ['portrait', { name: 'upright.mp4', size: '240x426', video: h264Args, copiesVideo: true, topSize: [240, 426] }],
  [
    'a keyframe every ten seconds',
    { name: 'sparse.mp4', seconds: 12, video: [...h264Args, '-g', '250', '-keyint_min', '250', '-sc_threshold', '0'] }
  ],
  ['shorter than a segment', { name: 'short.mp4', seconds: 0.48, video: h264Args, copiesVideo: true }],
  ['4K', { name: 'large.mp4', size: '3840x2160', seconds: 0.4, video: h264Args, copiesVideo: true, topSize: [3840, 2160] }]
])(
  '%s is encoded completely',
  async (
    _,
    { name, size = '320x240', rate = 25, seconds = 2, video, audio = AAC, expectedRate = rate, topSize = [320, 240], copiesVideo = false }
  ) => {
    await runFfmpegIn(
      scratch.folder,
      ...videoInputArgs(seconds, rate, size),
      ...(audio ? toneInputArgs(seconds) : []),
      ...video,
      ...(audio ?? []),
      '-strict',
      '-2',
      name
    )
    const count = Number((await probeDecodedStream(join(scratch.folder, name))).nb_read_frames)
    const { plan, folder, videos, audio: audioOutput, results, outputs } = await encodeLadder(scratch.folder, name, { resolutions: [144] })
    expect(plan.copyVideo !== null).toBe(copiesVideo)
    expect(results.map(({ damaged }) => damaged)).toEqual(results.map(() => false))
    expect(audioOutput !== undefined).toBe(audio !== null)
    for (const [index, output] of videos.entries()) {
      const { stream, times } = await probeDecodedStreamWithTimes(join(folder, output.file))
      expect(stream, `${output.resolution}`).toMatchObject({
        codec_name: 'h264',
        pix_fmt: 'yuv420p',
        sample_aspect_ratio: '1:1',
        ...(index === 0 ? { width: topSize[0], height: topSize[1] } : {})
      })
      expect(Number(stream.nb_read_frames)).toBe(Math.round((count * expectedRate) / rate))
      expect(Math.min(...times)).toBeCloseTo(0, 1)
    }
    for (const output of outputs) {
      const { segments, ended } = await readMediaPlaylist(join(folder, output.playlist))
      expect(ended).toBe(true)
      expect(Math.abs(segments.reduce((sum, { duration }) => sum + duration, 0) - seconds), `length of ${output.resolution}`).toBeLessThan(
        0.12
      )
      const last = segments.at(-1)!.byterange!
      expect(last.offset + last.length).toBe((await readFile(join(folder, output.file))).length)
    }
    if (audioOutput)
      expect(await probeDecodedStream(join(folder, audioOutput.file), 'a:0')).toMatchObject({ codec_name: 'aac', profile: 'LC' })
  }
)
