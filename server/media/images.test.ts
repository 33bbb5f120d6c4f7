import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { h264Args, runFfmpegIn, videoInputArgs, createScratchFolder, toneInputArgs, unlimitedProbeLimits } from '../test/media-fixtures.ts'
import { writeStoryboard, writeThumbnails, resizeToAvatars, convertToJpeg } from './images.ts'
import { probeMedia } from './probe.ts'

let place: Awaited<ReturnType<typeof createScratchFolder>>
const at = (name: string) => join(place.folder, name)

beforeAll(async () => {
  place = await createScratchFolder()
  await runFfmpegIn(place.folder, ...videoInputArgs(5), ...toneInputArgs(5), ...h264Args, 'plain.mp4')
})
afterAll(() => place.remove())

async function pixel(file: string, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true })
  const start = (y * info.width + x) * info.channels
  return [...data.subarray(start, start + 3)]
}

describe('a frame of the film', () => {
  test('is the one that is asked for, in the size that is asked for', async () => {
    await runFfmpegIn(
      place.folder,
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
    const found = await probeMedia(at('two.mp4'), unlimitedProbeLimits)
    for (const [second, name, channel] of [
      [1, 'red.jpg', 0],
      [3, 'green.jpg', 1],
      [99, 'end.jpg', 1]
    ] as const) {
      await writeThumbnails(at('two.mp4'), found, [{ path: at(name), width: 280, height: 157 }], {
        folder: place.folder,
        parts: [second / found.duration]
      })
      expect(await sharp(at(name)).metadata()).toMatchObject({ format: 'jpeg', width: 280, height: 157 })
      expect((await pixel(at(name), 140, 78))[channel]).toBeGreaterThan(200)
    }
  })

  test.each([
    ['mp4', 4.9, ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-sc_threshold', '0']],
    ['ts', 3.5, ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-sc_threshold', '0']],
    ['mkv', 4.9, ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:keyint=25:scenecut=0']],
    ['webm', 4.9, ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '25']],
    ['avi', 4.9, ['-c:v', 'mpeg4', '-g', '25', '-sc_threshold', '1000000000']]
  ])(
    'is a keyframe near by where there are enough of them, in most containers the one before (%s, %s s)',
    async (container, red, video) => {
      const film = `often.${container}`
      // Red until 4.4 s, then lime; a keyframe each second.
      await runFfmpegIn(
        place.folder,
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
        film
      )
      const found = await probeMedia(at(film), unlimitedProbeLimits)
      expect(found.video!.keyframeInterval).toBeLessThan(1.1)
      for (const [second, channel] of [
        [red, 0],
        [6.5, 1]
      ] as const) {
        await writeThumbnails(at(film), found, [{ path: at('often.jpg'), width: 280, height: 157 }], {
          folder: place.folder,
          parts: [second / found.duration]
        })
        const colours = await pixel(at('often.jpg'), 140, 78)
        expect(colours[channel]).toBeGreaterThan(200)
        expect(colours[1 - channel]).toBeLessThan(60)
      }
    }
  )

  test('is rather a keyframe further on than one that is decoded all the way to, and never the first of all', async () => {
    // Keyframes at 0 and 4 s: the usual place, at 30 %, is far from both.
    await runFfmpegIn(
      place.folder,
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
    const found = await probeMedia(at('seldom.mp4'), unlimitedProbeLimits)
    expect(found.video!.keyframeInterval).toBe(4)
    await writeThumbnails(at('seldom.mp4'), found, [{ path: at('seldom.png.jpg'), width: 320, height: 180 }], { folder: place.folder })
    await runFfmpegIn(place.folder, '-ss', '4', '-i', 'seldom.mp4', '-frames:v', '1', 'fourth.png')
    const [ours, fourth] = await Promise.all(
      [at('seldom.png.jpg'), at('fourth.png')].map(async file =>
        (await sharp(file).removeAlpha().stats()).channels.map(channel => Math.round(channel.mean / 8))
      )
    )
    expect(ours).toEqual(fourth)
  })

  test('stands upright and whole where the film does', async () => {
    await runFfmpegIn(place.folder, '-f', 'lavfi', '-i', 'color=blue:s=320x180:r=25:d=1', ...h264Args, 'blue.mp4')
    await runFfmpegIn(place.folder, '-i', 'blue.mp4', '-c', 'copy', '-metadata:s:v:0', 'rotate=90', 'turned.mp4')
    await writeThumbnails(
      at('turned.mp4'),
      await probeMedia(at('turned.mp4'), unlimitedProbeLimits),
      [{ path: at('turned.jpg'), width: 320, height: 180 }],
      {
        folder: place.folder
      }
    )
    expect((await pixel(at('turned.jpg'), 160, 90))[2]).toBeGreaterThan(200)
    expect((await pixel(at('turned.jpg'), 10, 90))[2]).toBeLessThan(80)
  })

  test('exists for one frame, for a cover and for bare sound', async () => {
    await runFfmpegIn(place.folder, ...videoInputArgs(1), ...h264Args, '-frames:v', '1', 'one.mp4')
    await runFfmpegIn(place.folder, ...toneInputArgs(2), '-c:a', 'libmp3lame', 'sound.mp3')
    await runFfmpegIn(place.folder, '-f', 'lavfi', '-i', 'color=red:s=200x200:d=1', '-frames:v', '1', 'cover.png')
    await runFfmpegIn(
      place.folder,
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
      const found = await probeMedia(at(name), unlimitedProbeLimits)
      await writeThumbnails(
        at(name),
        found,
        [
          { path: at(`${name}.jpg`), width: 280, height: 157 },
          { path: at(`${name}-large.jpg`), width: 850, height: 480 }
        ],
        { folder: place.folder }
      )
      expect(await sharp(at(`${name}.jpg`)).metadata()).toMatchObject({ width: 280, height: 157 })
      expect(await sharp(at(`${name}-large.jpg`)).metadata()).toMatchObject({ width: 850, height: 480 })
    }
    expect((await pixel(at('cover.mp3.jpg'), 140, 78))[0]).toBeGreaterThan(200)
  })
})

test('the picture chosen for a film that begins in the dark is not dark', async () => {
  await runFfmpegIn(
    place.folder,
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
    at('dark.mp4'),
    await probeMedia(at('dark.mp4'), unlimitedProbeLimits),
    [{ path: at('dark.jpg'), width: 280, height: 157 }],
    {
      folder: place.folder
    }
  )
  expect((await sharp(at('dark.jpg')).stats()).channels[0]!.mean).toBeGreaterThan(60)
  // Nothing that lies between is left, nor where all is dark.
  await runFfmpegIn(place.folder, '-f', 'lavfi', '-i', 'color=black:s=320x240:r=25:d=2', ...h264Args, 'night.mp4')
  await writeThumbnails(
    at('night.mp4'),
    await probeMedia(at('night.mp4'), unlimitedProbeLimits),
    [{ path: at('night.jpg'), width: 280, height: 157 }],
    {
      folder: place.folder
    }
  )
  expect((await sharp(at('night.jpg')).stats()).channels[0]!.mean).toBeLessThan(30)
  expect((await readdir(place.folder)).filter(name => name.startsWith('.'))).toEqual([])
})

describe('the storyboard', () => {
  test('has one sprite a second for a short film, in one row', async () => {
    expect(await writeStoryboard(at('plain.mp4'), await probeMedia(at('plain.mp4'), unlimitedProbeLimits), at('board.jpg'))).toEqual({
      spriteWidth: 192,
      spriteHeight: 144,
      totalWidth: 960,
      totalHeight: 144,
      spriteDuration: 1
    })
    expect(await sharp(at('board.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 960, height: 144 })
  })

  test('shows each moment in its place, in rows, and stays within its limit', async () => {
    await runFfmpegIn(
      place.folder,
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
    const found = await probeMedia(at('long.mp4'), unlimitedProbeLimits)
    for (const fullDecodeSeconds of [0, 120]) {
      const board = await writeStoryboard(at('long.mp4'), found, at('rows.jpg'), {
        maxSprites: 8,
        columns: 4,
        spriteWidth: 64,
        fullDecodeSeconds
      })
      expect(board).toEqual({ spriteWidth: 64, spriteHeight: 36, totalWidth: 256, totalHeight: 72, spriteDuration: 5 })
      expect(await sharp(at('rows.jpg')).metadata()).toMatchObject({ width: 256, height: 72 })
      for (let i = 0; i < 8; i++) {
        const [red, green] = await pixel(at('rows.jpg'), (i % 4) * 64 + 32, Math.floor(i / 4) * 36 + 18)
        expect((red ?? 0) > (green ?? 0), `sprite ${i}`).toBe(i < 4)
      }
    }
  })

  test('is not made of sound', async () => {
    await runFfmpegIn(place.folder, ...toneInputArgs(1), 'tone.wav')
    expect(await writeStoryboard(at('tone.wav'), await probeMedia(at('tone.wav'), unlimitedProbeLimits), at('none.jpg'))).toBeNull()
  })
})

describe('uploaded pictures', () => {
  test('become JPEGs and avatars; transparency is kept, names are new', async () => {
    await sharp({ create: { width: 400, height: 300, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } } })
      .png()
      .toFile(at('clear.png'))
    await convertToJpeg(at('clear.png'), at('clear.jpg'), { width: 100, height: 50 })
    expect(await sharp(at('clear.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 100, height: 50 })
    const clear = await resizeToAvatars(at('clear.png'), place.folder, [48, 120])
    expect(clear.map(avatar => avatar.width)).toEqual([48, 120])
    expect(await sharp(at(clear[1]?.file ?? '')).metadata()).toMatchObject({ format: 'png', width: 120, height: 120, hasAlpha: true })
    const solid = await resizeToAvatars(at('clear.jpg'), place.folder, [48])
    expect(await sharp(at(solid[0]?.file ?? '')).metadata()).toMatchObject({ format: 'jpeg', width: 48, height: 48 })
  })

  test('are turned upright and lose where they were taken', async () => {
    await sharp({ create: { width: 400, height: 200, channels: 3, background: 'red' } })
      .withExif({ IFD0: { Copyright: 'me', Orientation: '6' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toFile(at('turned-photo.jpg'))
    await convertToJpeg(at('turned-photo.jpg'), at('upright.jpg'), { width: 100, height: 200 })
    const { exif, orientation } = await sharp(at('upright.jpg')).metadata()
    expect([exif, orientation]).toEqual([undefined, undefined])
  })

  test('that are none, are drawings, too large or broken are refused, and nothing is left behind', async () => {
    await writeFile(at('words.png'), 'hello')
    await writeFile(
      at('drawing.png'),
      '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><rect width="100" height="100"/></svg>'
    )
    await writeFile(at('empty.png'), '')
    const whole = await sharp({ create: { width: 900, height: 900, channels: 3, background: 'red' } })
      .jpeg()
      .toBuffer()
    await writeFile(at('half.jpg'), whole.subarray(0, whole.length / 2))
    for (const name of ['words.png', 'drawing.png', 'empty.png', 'half.jpg']) {
      await expect(convertToJpeg(at(name), at('refused.jpg'), { width: 10, height: 10 }), name).rejects.toMatchObject({ code: 'bad_image' })
      await expect(resizeToAvatars(at(name), place.folder, [48]), name).rejects.toMatchObject({ code: 'bad_image' })
    }
    await expect(convertToJpeg(at('clear.png'), at('refused.jpg'), { width: 10, height: 10 }, { maxPixels: 1000 })).rejects.toMatchObject({
      code: 'bad_image'
    })
    await expect(convertToJpeg(at('absent.png'), at('refused.jpg'), { width: 10, height: 10 })).rejects.toMatchObject({ code: 'ENOENT' })
    const names = await readdir(place.folder)
    expect(names.filter(name => name === 'refused.jpg' || name.startsWith('.'))).toEqual([])
  })
})
