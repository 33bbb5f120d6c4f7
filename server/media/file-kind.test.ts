import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createScratchFolder, h264Args, runFfmpegIn, toneInputArgs, videoInputArgs } from '../test/media-fixtures.ts'
import { identifyFileKind } from './file-kind.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  scratch = await createScratchFolder()
})
afterAll(() => scratch.remove())

async function kindOf(bytes: Buffer | string): Promise<string | null> {
  const path = join(scratch.folder, 'file.mp4')
  await writeFile(path, bytes)
  return await identifyFileKind(path)
}

describe('pictures', () => {
  test.each(['png', 'jpeg', 'webp', 'avif', 'tiff', 'gif'] as const)('%s', async format => {
    const picture = sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
    expect(await kindOf(await picture.toFormat(format).toBuffer())).toBe('image')
  })

  test('animated ones are told from still ones', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1, 5, '40x30'), '-loop', '0', 'moving.webp')
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1, 5, '40x30'), '-f', 'apng', 'moving.png')
    expect(await identifyFileKind(join(scratch.folder, 'moving.webp'))).toBe('animated_image')
    expect(await identifyFileKind(join(scratch.folder, 'moving.png'))).toBe('animated_image')
  })

  test('BMP, SVG and HEIC', async () => {
    await runFfmpegIn(scratch.folder, ...videoInputArgs(1, 1, '40x30'), '-frames:v', '1', 'still.bmp')
    expect(await identifyFileKind(join(scratch.folder, 'still.bmp'))).toBe('image')
    expect(await kindOf('<?xml version="1.0"?>\n<!-- > --><!DOCTYPE svg>\n<svg xmlns="http://www.w3.org/2000/svg"/>')).toBe('image')
    expect(await kindOf(Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'))).toBe('image')
    expect(await kindOf(Buffer.from('\0\0\0\x18ftyphevc\0\0\0\0msf1hevc', 'latin1'))).toBeNull()
  })
})

test.each([
  ['M3U', '#EXTM3U\n/etc/passwd\n'],
  ['M3U with a byte order mark', '\ufeff#EXTM3U\nhttp://127.0.0.1/\n'],
  ['a concat script', 'ffconcat version 1.0\nfile /etc/passwd\n'],
  ['PLS', '[playlist]\nFile1=http://127.0.0.1/\n'],
  ['an ASF reference', '[Reference]\r\nRef1=http://127.0.0.1/\r\n'],
  ['SDP', 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nm=video 5004 RTP/AVP 96\r\n'],
  ['XSPF', '<?xml version="1.0"?><!-- a --><playlist xmlns="http://xspf.org/ns/0/"></playlist>'],
  ['DASH', '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'],
  ['IMF', '<?xml version="1.0"?><cpl:CompositionPlaylist xmlns:cpl="x"/>'],
  ['SMIL', '<smil><body><video src="http://127.0.0.1/"/></body></smil>'],
  ['ASX', '<ASX version="3.0"><entry/></ASX>']
])('%s is a playlist', async (_, text) => {
  expect(await kindOf(text)).toBe('playlist')
})

test('web pages, text and archives', async () => {
  expect(await kindOf('\n<!-- saved from --><!DOCTYPE html><html></html>')).toBe('web_page')
  expect(await kindOf('<HTML lang="en"><body></body></HTML>')).toBe('web_page')
  expect(await kindOf('Ceci n’est pas une vidéo.')).toBe('text')
  expect(await kindOf(Buffer.from('\ufeffin UTF-16', 'utf16le'))).toBe('text')
  expect(await kindOf('1\n00:00:00,000 --> 00:00:01,000\nhi\n')).toBe('text')
  expect(await kindOf(Buffer.from('504b0304140000000000', 'hex'))).toBe('archive')
  expect(await kindOf(Buffer.concat([Buffer.alloc(257, 'a'), Buffer.from('ustar\x00')]))).toBe('archive')
})

test('neither media nor noise nor an empty file is anything of that', async () => {
  await runFfmpegIn(scratch.folder, ...videoInputArgs(1), ...toneInputArgs(1), ...h264Args, 'video.mp4')
  await copyFile(join(scratch.folder, 'video.mp4'), join(scratch.folder, 'video.txt'))
  expect(await identifyFileKind(join(scratch.folder, 'video.txt'))).toBeNull()
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(1000), Buffer.from('BM\0\0'), Buffer.from('RIFF\x10\x00\x00\x00AVI LIST'), ' \n\n '])
    expect(await kindOf(bytes)).toBeNull()
})

test('hostile text takes no time', async () => {
  const startedAt = performance.now()
  expect(await kindOf('<!-- --><!-->'.repeat(20_000))).toBe('text')
  expect(await kindOf('<?'.repeat(100_000))).toBe('text')
  expect(performance.now() - startedAt).toBeLessThan(1000)
})
