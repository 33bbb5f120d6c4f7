import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { h264Args, runFfmpegIn, videoInputArgs, createScratchFolder, toneInputArgs } from '../test/media-fixtures.ts'
import { unlimitedProbeLimits } from '../test/media-settings.ts'
import { writeStoryboard, writeThumbnails, resizeToAvatars, convertToJpeg } from './images.ts'
import { probeMedia } from './probe.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
const pathOf = (name: string) => join(scratch.folder, name)

beforeAll(async () => {
  scratch = await createScratchFolder()
  await runFfmpegIn(scratch.folder, ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, 'plain.mp4')
})
afterAll(() => scratch.remove())

async function readPixel(file: string, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true })
  const start = (y * info.width + x) * info.channels
  return [...data.subarray(start, start + 3)]
}

describe('the thumbnail of a video', () => {
  test('is the frame at the requested position, in the requested size', async () => {
    await runFfmpegIn(
      scratch.folder,
      '-f',
      'lavfi',
      '-i',
      'color=red:s=320x180:r=25:d=2',
      '-f',
      'lavfi',
      '-i',
      'color=lime:s=320x180:r=25:d=2',
      '-filter_complex',
      '[0][1]concat',
      ...h264Args,
      'two.mp4'
    )
    const probe = await probeMedia(pathOf('two.mp4'), unlimitedProbeLimits)
    for (const [second, name, channel] of [
      [1, 'red.jpg', 0],
      [3, 'green.jpg', 1],
      [99, 'end.jpg', 1]
    ] as const) {
      await writeThumbnails(pathOf('two.mp4'), probe, [{ path: pathOf(name), width: 280, height: 157 }], {
        folder: scratch.folder,
        positions: [second / probe.duration]
      })
      expect(await sharp(pathOf(name)).metadata()).toMatchObject({ format: 'jpeg', width: 280, height: 157 })
      expect((await readPixel(pathOf(name), 140, 78))[channel]).toBeGreaterThan(200)
    }
  })

  test.each([
    ['mp4', 4.9, ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-sc_threshold', '0']],
    ['ts', 3.5, ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-sc_threshold', '0']],
    ['mkv', 4.9, ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=25:scenecut=0']],
    ['webm', 4.9, ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25']],
    ['avi', 4.9, ['-c:v', 'mpeg4', '-g', '25', '-sc_threshold', '1000000000']]
  ])('is a keyframe near the position if there are enough, in most containers the one before (%s, %s s)', async (container, red, video) => {
    const name = `often.${container}`
    // Red until 4.4 s, then lime; a keyframe each second.
    await runFfmpegIn(
      scratch.folder,
      '-f',
      'lavfi',
      '-i',
      'color=red:s=320x180:r=25:d=4.4',
      '-f',
      'lavfi',
      '-i',
      'color=lime:s=320x180:r=25:d=3.6',
      '-filter_complex',
      '[0][1]concat',
      '-pix_fmt',
      'yuv420p',
      ...video,
      name
    )
    const probe = await probeMedia(pathOf(name), unlimitedProbeLimits)
    expect(probe.video!.keyframeInterval).toBeLessThan(1.1)
    for (const [second, channel] of [
      [red, 0],
      [6.5, 1]
    ] as const) {
      await writeThumbnails(pathOf(name), probe, [{ path: pathOf('often.jpg'), width: 280, height: 157 }], {
        folder: scratch.folder,
        positions: [second / probe.duration]
      })
      const rgb = await readPixel(pathOf('often.jpg'), 140, 78)
      expect(rgb[channel]).toBeGreaterThan(200)
      expect(rgb[1 - channel]).toBeLessThan(60)
    }
  })

  test('is rather a later keyframe than a frame that needs a long decode, and never the first frame', async () => {
    // Keyframes at 0 and 4 s: the default position, 30 %, is far from both.
    await runFfmpegIn(
      scratch.folder,
      '-f',
      'lavfi',
      '-i',
      'smptebars=s=320x180:r=25:d=0.2',
      ...videoInputArgs(3.8, 25, '320x180'),
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=320x180:r=25:d=3',
      '-filter_complex',
      '[0][1][2]concat=n=3',
      '-t',
      '7',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '100',
      '-sc_threshold',
      '0',
      '-pix_fmt',
      'yuv420p',
      'seldom.mp4'
    )
    const probe = await probeMedia(pathOf('seldom.mp4'), unlimitedProbeLimits)
    expect(probe.video!.keyframeInterval).toBe(4)
    await writeThumbnails(pathOf('seldom.mp4'), probe, [{ path: pathOf('seldom.png.jpg'), width: 320, height: 180 }], {
      folder: scratch.folder
    })
    await runFfmpegIn(scratch.folder, '-ss', '4', '-i', 'seldom.mp4', '-frames:v', '1', 'fourth.png')
    const [thumbnailColors, fourthSecondColors] = await Promise.all(
      [pathOf('seldom.png.jpg'), pathOf('fourth.png')].map(async file =>
        (await sharp(file).removeAlpha().stats()).channels.map(channel => Math.round(channel.mean / 8))
      )
    )
    expect(thumbnailColors).toEqual(fourthSecondColors)
  })

  test('of a portrait video is upright and not cropped', async () => {
    await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', 'color=blue:s=320x180:r=25:d=1', ...h264Args, 'blue.mp4')
    await runFfmpegIn(scratch.folder, '-i', 'blue.mp4', '-c', 'copy', '-metadata:s:v:0', 'rotate=90', 'turned.mp4')
    await writeThumbnails(
      pathOf('turned.mp4'),
      await probeMedia(pathOf('turned.mp4'), unlimitedProbeLimits),
      [{ path: pathOf('turned.jpg'), width: 320, height: 180 }],
      {
        folder: scratch.folder
      }
    )
    expect((await readPixel(pathOf('turned.jpg'), 160, 90))[2]).toBeGreaterThan(200)
    expect((await readPixel(pathOf('turned.jpg'), 10, 90))[2]).toBeLessThan(80)
  })

  test('exists for a single frame, for a cover and for audio without one', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1), ...h264Args, '-frames:v', '1', 'one.mp4')
    await runFfmpegIn(scratch.folder, ...toneInputArgs(2), '-c:a', 'libmp3lame', 'sound.mp3')
    await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', 'color=red:s=200x200:d=1', '-frames:v', '1', 'cover.png')
    await runFfmpegIn(
      scratch.folder,
      '-i',
      'sound.mp3',
      '-i',
      'cover.png',
      '-map',
      '0',
      '-map',
      '1',
      '-c',
      'copy',
      '-disposition:v',
      'attached_pic',
      'cover.mp3'
    )
    for (const name of ['one.mp4', 'sound.mp3', 'cover.mp3']) {
      const probe = await probeMedia(pathOf(name), unlimitedProbeLimits)
      await writeThumbnails(
        pathOf(name),
        probe,
        [
          { path: pathOf(`${name}.jpg`), width: 280, height: 157 },
          { path: pathOf(`${name}-large.jpg`), width: 850, height: 480 }
        ],
        { folder: scratch.folder }
      )
      expect(await sharp(pathOf(`${name}.jpg`)).metadata()).toMatchObject({ width: 280, height: 157 })
      expect(await sharp(pathOf(`${name}-large.jpg`)).metadata()).toMatchObject({ width: 850, height: 480 })
    }
    expect((await readPixel(pathOf('cover.mp3.jpg'), 140, 78))[0]).toBeGreaterThan(200)
  })
})

test('the thumbnail of a video with a dark beginning is not dark', async () => {
  await runFfmpegIn(
    scratch.folder,
    '-f',
    'lavfi',
    '-i',
    'color=black:s=320x240:r=25:d=6',
    ...videoInputArgs(4),
    '-filter_complex',
    '[0][1]concat',
    ...h264Args,
    'dark.mp4'
  )
  await writeThumbnails(
    pathOf('dark.mp4'),
    await probeMedia(pathOf('dark.mp4'), unlimitedProbeLimits),
    [{ path: pathOf('dark.jpg'), width: 280, height: 157 }],
    {
      folder: scratch.folder
    }
  )
  expect((await sharp(pathOf('dark.jpg')).stats()).channels[0]!.mean).toBeGreaterThan(60)
  // No temporary file is left, nor if every frame is dark.
  await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', 'color=black:s=320x240:r=25:d=2', ...h264Args, 'night.mp4')
  await writeThumbnails(
    pathOf('night.mp4'),
    await probeMedia(pathOf('night.mp4'), unlimitedProbeLimits),
    [{ path: pathOf('night.jpg'), width: 280, height: 157 }],
    {
      folder: scratch.folder
    }
  )
  expect((await sharp(pathOf('night.jpg')).stats()).channels[0]!.mean).toBeLessThan(30)
  expect((await readdir(scratch.folder)).filter(name => name.startsWith('.'))).toEqual([])
})

test.each<[string, string[]]>([
  ['HD without tags', ['-vf', 'scale=out_color_matrix=bt709,format=yuv420p', ...h264Args]],
  ['HD with the matrix of SD', ['-vf', 'scale=out_color_matrix=bt601,setparams=colorspace=smpte170m,format=yuv420p', ...h264Args]],
  ['full range', ['-vf', 'scale=out_color_matrix=bt709:out_range=full,format=yuvj420p,setparams=colorspace=bt709:range=pc', ...h264Args]],
  ['RGB', ['-pix_fmt', 'rgb24', '-c:v', 'qtrle']]
])('thumbnails and storyboards have the colors of the source: %s', async (_, args) => {
  const color = [200, 60, 90]
  const input = `color=0x${color.map(value => value.toString(16)).join('')}:s=1280x720:r=25:d=0.4,format=gbrp`
  await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', input, ...args, 'colored.mov')
  const probe = await probeMedia(pathOf('colored.mov'), unlimitedProbeLimits)
  await writeThumbnails(pathOf('colored.mov'), probe, [{ path: pathOf('colored.jpg'), width: 280, height: 157 }], {
    folder: scratch.folder
  })
  await writeStoryboard(pathOf('colored.mov'), probe, pathOf('colored-board.jpg'))
  for (const image of ['colored.jpg', 'colored-board.jpg'])
    for (const [channel, value] of (await readPixel(pathOf(image), 90, 50)).entries())
      expect(Math.abs(value - color[channel]!), `${image}, channel ${channel}`).toBeLessThanOrEqual(4)
})

describe('the storyboard', () => {
  test('has one sprite a second for a short video, in one row', async () => {
    expect(
      await writeStoryboard(pathOf('plain.mp4'), await probeMedia(pathOf('plain.mp4'), unlimitedProbeLimits), pathOf('board.jpg'))
    ).toEqual({
      spriteWidth: 192,
      spriteHeight: 144,
      totalWidth: 960,
      totalHeight: 144,
      spriteDuration: 1
    })
    expect(await sharp(pathOf('board.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 960, height: 144 })
  })

  test('has the sprites in order, in rows, and not more than the limit', async () => {
    await runFfmpegIn(
      scratch.folder,
      '-f',
      'lavfi',
      '-i',
      'color=red:s=64x36:r=25:d=20',
      '-f',
      'lavfi',
      '-i',
      'color=lime:s=64x36:r=25:d=20',
      '-filter_complex',
      '[0][1]concat',
      ...h264Args,
      'long.mp4'
    )
    const probe = await probeMedia(pathOf('long.mp4'), unlimitedProbeLimits)
    for (const fullDecodeSeconds of [0, 120]) {
      const board = await writeStoryboard(pathOf('long.mp4'), probe, pathOf('rows.jpg'), {
        maxSprites: 8,
        columns: 4,
        spriteWidth: 64,
        fullDecodeSeconds
      })
      expect(board).toEqual({ spriteWidth: 64, spriteHeight: 36, totalWidth: 256, totalHeight: 72, spriteDuration: 5 })
      expect(await sharp(pathOf('rows.jpg')).metadata()).toMatchObject({ width: 256, height: 72 })
      for (let i = 0; i < 8; i++) {
        const [red, green] = await readPixel(pathOf('rows.jpg'), (i % 4) * 64 + 32, Math.floor(i / 4) * 36 + 18)
        expect((red ?? 0) > (green ?? 0), `sprite ${i}`).toBe(i < 4)
      }
    }
  })

  test.each([
    [0.04, 1],
    [0.4, 1],
    [1, 1],
    [1.08, 2]
  ])('is made of a video of %d seconds too', async (seconds, columns) => {
    await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', `color=red:s=64x36:r=25:d=${seconds}`, ...h264Args, 'instant.mp4')
    const probe = await probeMedia(pathOf('instant.mp4'), unlimitedProbeLimits)
    expect(await writeStoryboard(pathOf('instant.mp4'), probe, pathOf('instant.jpg'))).toMatchObject({
      totalWidth: 192 * columns,
      spriteDuration: 1
    })
    const [red, green] = await readPixel(pathOf('instant.jpg'), 192 * columns - 20, 20)
    expect([red! > 200, green! < 40]).toEqual([true, true])
  })

  test('is null for audio', async () => {
    await runFfmpegIn(scratch.folder, ...toneInputArgs(1), 'tone.wav')
    expect(
      await writeStoryboard(pathOf('tone.wav'), await probeMedia(pathOf('tone.wav'), unlimitedProbeLimits), pathOf('none.jpg'))
    ).toBeNull()
  })
})

describe('uploaded images', () => {
  test('become JPEGs and avatars; transparency is kept, file names are new', async () => {
    await sharp({ create: { width: 400, height: 300, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } } })
      .png()
      .toFile(pathOf('clear.png'))
    await convertToJpeg(pathOf('clear.png'), pathOf('clear.jpg'), { width: 100, height: 50 })
    expect(await sharp(pathOf('clear.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 100, height: 50 })
    const avatars = await resizeToAvatars(pathOf('clear.png'), scratch.folder, [48, 120])
    expect(avatars.map(avatar => avatar.width)).toEqual([48, 120])
    expect(await sharp(pathOf(avatars[1]?.file ?? '')).metadata()).toMatchObject({ format: 'png', width: 120, height: 120, hasAlpha: true })
    const solid = await resizeToAvatars(pathOf('clear.jpg'), scratch.folder, [48])
    expect(await sharp(pathOf(solid[0]?.file ?? '')).metadata()).toMatchObject({ format: 'jpeg', width: 48, height: 48 })
  })

  test('are rotated upright and lose their EXIF data', async () => {
    await sharp({ create: { width: 400, height: 200, channels: 3, background: 'red' } })
      .withExif({ IFD0: { Copyright: 'me', Orientation: '6' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(pathOf('turned-photo.jpg'))
    await convertToJpeg(pathOf('turned-photo.jpg'), pathOf('upright.jpg'), { width: 100, height: 200 })
    const { exif, orientation } = await sharp(pathOf('upright.jpg')).metadata()
    expect([exif, orientation]).toEqual([undefined, undefined])
  })

  test('text, SVG, too large and broken files are refused, and no file is left', async () => {
    await writeFile(pathOf('words.png'), 'hello')
    await writeFile(
      pathOf('drawing.png'),
      '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><rect width="100" height="100"/></svg>'
    )
    await writeFile(pathOf('empty.png'), '')
    const jpeg = await sharp({ create: { width: 900, height: 900, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer()
    await writeFile(pathOf('half.jpg'), jpeg.subarray(0, jpeg.length / 2))
    for (const name of ['words.png', 'drawing.png', 'empty.png', 'half.jpg']) {
      await expect(convertToJpeg(pathOf(name), pathOf('refused.jpg'), { width: 10, height: 10 }), name).rejects.toMatchObject({
        code: 'bad_image'
      })
      await expect(resizeToAvatars(pathOf(name), scratch.folder, [48]), name).rejects.toMatchObject({ code: 'bad_image' })
    }
    await expect(
      convertToJpeg(pathOf('clear.png'), pathOf('refused.jpg'), { width: 10, height: 10 }, { maxPixels: 1000 })
    ).rejects.toMatchObject({
      code: 'bad_image'
    })
    await expect(convertToJpeg(pathOf('absent.png'), pathOf('refused.jpg'), { width: 10, height: 10 })).rejects.toMatchObject({
      code: 'ENOENT'
    })
    const names = await readdir(scratch.folder)
    expect(names.filter(name => name === 'refused.jpg' || name.startsWith('.'))).toEqual([])
  })
})
