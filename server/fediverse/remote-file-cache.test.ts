import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig, storageFolder } from '../core/config.ts'
import { makeGif } from '../test/gif.ts'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'
import { getCachedRemoteFile, type RemoteFileKind } from './remote-file-cache.ts'

let peer: HostilePeer
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bobine-remote-files-'))
  loadConfig({
    overrides: {
      webserver: { hostname: 'here.example' },
      federation: { prevent_ssrf: false, fetch: { per_host: { max: 100_000 } } },
      storage: { cache: join(folder, 'cache'), tmp: join(folder, 'tmp') }
    }
  })
  setKeyring(scriptedKeyring())
  peer = await startHostilePeer()
})
afterAll(async () => {
  await peer?.stop()
  await rm(folder, { recursive: true, force: true })
})

let count = 0
/** Has the cache fetch these bytes; returns what it would send, null where it refuses. */
async function fetchThrough(
  bytes: Buffer | string,
  type: string,
  extension: string,
  kind: RemoteFileKind = 'picture'
): Promise<Buffer | null> {
  const name = `${++count}.${extension}`
  peer.serve(`/${name}`, (_request, response) => void response.writeHead(200, { 'content-type': type }).end(bytes))
  const cached = await getCachedRemoteFile(name, `${peer.url}/${name}`, kind)
  expect(await readdir(storageFolder('tmp'))).toEqual([])
  return cached === null ? null : await readFile(join(storageFolder('cache'), cached))
}
const picture = (width = 40, height = 20) => sharp({ create: { width, height, channels: 3, background: '#c03020' } })
const formatOf = async (bytes: Buffer | null) => bytes && (await sharp(bytes).metadata()).format

describe('a picture of another server', () => {
  it.each(['jpg', 'jpeg', 'png', 'webp', 'gif'])('has the format of its name (.%s), whatever it was', async extension => {
    const format = extension === 'jpg' ? 'jpeg' : extension
    for (const bytes of [await picture().jpeg().toBuffer(), await picture().png().toBuffer(), await picture().avif().toBuffer()])
      for (const type of ['image/jpeg', 'image/png', 'application/octet-stream'])
        expect(await formatOf(await fetchThrough(bytes, type, extension))).toBe(format)
  })

  it('has neither metadata nor anything that is not shown', async () => {
    const script = '<script>alert(document.domain)</script>'
    const jpeg = await picture()
      .withExif({ IFD0: { Copyright: script }, IFD3: { GPSLatitude: '48/1 51/1 0/1' } })
      .withXmp(`<x:xmpmeta xmlns:x="adobe:ns:meta/">${'secret'.repeat(3)}</x:xmpmeta>`)
      .jpeg()
      .toBuffer()
    const sent = await fetchThrough(Buffer.concat([jpeg, Buffer.from(script)]), 'image/jpeg', 'jpg')
    expect(await formatOf(sent)).toBe('jpeg')
    const { exif, xmp, width, height } = await sharp(sent!).metadata()
    expect([exif, xmp, width, height]).toEqual([undefined, undefined, 40, 20])
    expect(sent!.includes('script')).toBe(false)
    const png = await fetchThrough(Buffer.concat([await picture().png().toBuffer(), Buffer.from(script)]), 'image/png', 'png')
    expect(png!.includes('script')).toBe(false)
  })

  it('stands upright without the metadata that said so', async () => {
    const sent = await fetchThrough(await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer(), 'image/jpeg', 'jpg')
    expect(await sharp(sent!).metadata()).toMatchObject({ width: 20, height: 40 })
  })

  it('moves on where it moves, within a bound', async () => {
    const pagesOf = async (bytes: Buffer | null) => bytes && (await sharp(bytes, { animated: true }).metadata()).pages
    const frames = await Promise.all(
      ['red', 'lime', 'blue'].map(background =>
        sharp({ create: { width: 30, height: 20, channels: 3, background } })
          .png()
          .toBuffer()
      )
    )
    const gif = await sharp(frames, { join: { animated: true } })
      .gif({ delay: [100, 100, 100] })
      .toBuffer()
    expect(await pagesOf(gif)).toBe(3)
    expect(await pagesOf(await fetchThrough(gif, 'image/gif', 'gif'))).toBe(3)
    expect(await pagesOf(await fetchThrough(gif, 'image/gif', 'webp'))).toBe(3)
    expect(await formatOf(await fetchThrough(gif, 'image/gif', 'jpg'))).toBe('jpeg')
    expect(await pagesOf(await fetchThrough(makeGif({ width: 3000, height: 3000, frames: 20 }), 'image/gif', 'gif'))).toBe(1)
  })

  it('is refused where the bytes are something else, too large or cut off', async () => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'
    const jpeg = await picture(400, 400).jpeg().toBuffer()
    for (const [bytes, type] of [
      [svg, 'image/jpeg'],
      [svg, 'image/svg+xml'],
      ['<!DOCTYPE html><script>alert(1)</script>', 'image/png'],
      ['%PDF-1.7', 'application/octet-stream'],
      ['', 'image/jpeg'],
      [Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 'image/jpeg'],
      [jpeg.subarray(0, jpeg.length / 2), 'image/jpeg'],
      [await picture().tiff().toBuffer(), 'image/jpeg'],
      [await picture(9000, 9000).png().toBuffer(), 'image/png'],
      [jpeg, 'text/html']
    ] as [Buffer | string, string][])
      expect([type, await fetchThrough(bytes, type, 'jpg')]).toEqual([type, null])
  })

  it('that was fetched before bytes were looked at is fetched again', async () => {
    await mkdir(storageFolder('cache'), { recursive: true })
    await writeFile(join(storageFolder('cache'), `${count + 1}.jpg`), '<script>')
    expect(await formatOf(await fetchThrough(await picture().png().toBuffer(), 'image/png', 'jpg'))).toBe('jpeg')
  })
})

it('captions of another server are WebVTT in UTF-8, or refused', async () => {
  const captions = 'WEBVTT - Été\n\n00:00.000 --> 00:01.000\nBonjour\n'
  for (const text of [captions, `\uFEFF${captions}`, 'WEBVTT'])
    expect((await fetchThrough(text, 'text/plain', 'vtt', 'captions'))?.toString()).toBe(text)
  for (const bytes of ['', 'WEBVTTX', '<html>WEBVTT', '1\n00:00:00,000 --> 00:00:01,000\nSubRip', Buffer.from(captions, 'latin1')])
    expect(await fetchThrough(bytes, 'text/vtt', 'vtt', 'captions')).toBeNull()
})
