import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeStoryboard, writeThumbnails } from '../media/images.ts'
import { probeMedia, type Probe } from '../media/probe.ts'
import { decodeSource, type Pictures } from './media-decoding.ts'
import { createScratchFolder, h264Args, runFfmpegIn, videoInputArgs } from './media-fixtures.ts'
import { checkImages, type CheckedStoryboard } from './media-images.ts'
import { unlimitedProbeLimits } from './media-settings.ts'

const SECONDS = 6
let scratch: Awaited<ReturnType<typeof createScratchFolder>>
let probe: Probe
let pictures: Pictures
let thumbnail: string
let storyboard: CheckedStoryboard
const pathOf = (name: string) => join(scratch.folder, name)

beforeAll(async () => {
  scratch = await createScratchFolder()
  // Each second has another picture.
  await runFfmpegIn(
    scratch.folder,
    ...videoInputArgs(SECONDS, 25, '320x180'),
    '-vf',
    "rotate='floor(t)*PI/3':c=gray",
    ...h264Args.filter(arg => arg !== '-g' && arg !== '50'),
    '-g',
    '25',
    'film.mp4'
  )
  probe = await probeMedia(pathOf('film.mp4'), unlimitedProbeLimits)
  pictures = (await decodeSource(pathOf('film.mp4'), probe, [], await mkdtemp(pathOf('scratch ')))).pictures!
  thumbnail = pathOf('thumbnail.jpg')
  await writeThumbnails(pathOf('film.mp4'), probe, [{ path: thumbnail, width: 280, height: 157 }], { folder: scratch.folder })
  storyboard = { path: pathOf('storyboard.jpg'), ...(await writeStoryboard(pathOf('film.mp4'), probe, pathOf('storyboard.jpg')))! }
})
afterAll(async () => await scratch.remove())

const findings = async (images: Parameters<typeof checkImages>[0], source: Pictures | null = pictures) =>
  (await checkImages(images, source, probe)).findings.join('\n')

async function changed(path: string, change: (image: Sharp) => Sharp): Promise<string> {
  const target = `${await mkdtemp(pathOf('changed '))}/image.jpg`
  await change(sharp(path)).jpeg().toFile(target)
  return target
}

test('the images of a video are frames of it', async () => {
  expect(await checkImages({ frames: { thumbnail }, storyboard }, pictures, probe)).toEqual({ findings: [], notMeasurable: [] })
})

describe('thumbnails', () => {
  test.each<[string, (image: Sharp) => Sharp, RegExp]>([
    ['black', image => image.linear(0, 0), /thumbnail: shows nothing, unlike the source/],
    ['flat', image => image.linear(0, 150), /thumbnail: shows nothing, unlike the source/],
    ['turned', image => image.rotate(90).resize(280, 157, { fit: 'fill' }), /thumbnail: is no frame of the source/]
  ])('a %s one', async (_, change, finding) => {
    expect(await findings({ frames: { thumbnail: await changed(thumbnail, change) } })).toMatch(finding)
  })

  test('one that is missing or no image', async () => {
    expect(await findings({ frames: { thumbnail: pathOf('nothing.jpg') } })).toMatch(/thumbnail: cannot be read/)
    expect(await findings({ frames: { preview: pathOf('film.mp4') } })).toMatch(/preview: cannot be read/)
  })

  test('one of another shape is a part of a frame, of which it is only known that it shows something', async () => {
    const image = await changed(thumbnail, image => image.resize(157, 157, { fit: 'cover' }))
    const result = await checkImages({ frames: { thumbnail: image } }, pictures, probe)
    expect(result).toEqual({ findings: [], notMeasurable: ['thumbnail: it has another shape than the source'] })
  })

  test('a black one of a black video cannot be judged', async () => {
    const black = { times: pictures.times, rgb: Buffer.alloc(pictures.rgb.length) }
    const image = await changed(thumbnail, image => image.linear(0, 0))
    const result = await checkImages({ frames: { thumbnail: image } }, black, probe)
    expect(result).toEqual({ findings: [], notMeasurable: ['thumbnail: the source is as flat'] })
    expect((await checkImages({ frames: { thumbnail } }, null, probe)).notMeasurable).toEqual([
      'thumbnail: there is no source to compare it with'
    ])
  })
})

describe('storyboards', () => {
  test('one that is missing, or of another size', async () => {
    expect(await findings({ storyboard: { ...storyboard, path: pathOf('nothing.jpg') } })).toMatch(/storyboard: cannot be read/)
    expect(await findings({ storyboard: { ...storyboard, totalWidth: storyboard.totalWidth + 10 } })).toMatch(
      /storyboard: has \d+x\d+ pixels/
    )
  })

  test('one with too few sprites', async () => {
    expect(await findings({ storyboard: { ...storyboard, spriteDuration: 0.5 } })).toMatch(/storyboard: 6 sprites of 0\.5 s for 6\.0 s/)
  })

  test('sprites that are black', async () => {
    const path = await changed(storyboard.path, image => image.linear(0, 0))
    expect(await findings({ storyboard: { ...storyboard, path } })).toMatch(/sprite 0 shows nothing of the source near 0 s/)
  })

  test('one sprite of something else', async () => {
    const { spriteWidth: width, spriteHeight: height } = storyboard
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
    const other = await sharp({ create: { width, height, channels: 3, background: 'gray', noise } })
      .png()
      .toBuffer()
    const path = await changed(storyboard.path, image => image.composite([{ input: other, left: width, top: 0 }]))
    expect(await findings({ storyboard: { ...storyboard, path } })).toBe('storyboard: sprite 1 shows nothing of the source near 1 s')
  })
})
