import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readBencoded } from '../test/bencoded.ts'
import { bencode } from './bencode.ts'
import { makeMetainfo, makeTorrentInfo, pieceLength } from './torrent.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'torrent-'))
})
afterAll(async () => await rm(folder, { recursive: true, force: true }))

it('bencodes as BEP 3 says', () => {
  expect(bencode({ spam: ['a', 'é'], cow: -3, none: undefined }).toString()).toBe('d3:cowi-3e4:spaml1:a2:éee')
  // In the order of bytes, not of UTF-16 units.
  expect(bencode({ '\u{1F600}': 1, '\uFFFD': 2, 'a b': {} }).toString()).toBe('d3:a bde3:\uFFFDi2e4:\u{1F600}i1ee')
  for (const bad of [1.5, Number.NaN, 2 ** 60]) expect(() => bencode(bad)).toThrow(TypeError)
})

it('hashes pieces over the borders of the parts', async () => {
  const [head, first, second] = [randomBytes(1000), randomBytes(70_000), randomBytes(2_300_001)]
  await writeFile(join(folder, 'first'), first)
  await writeFile(join(folder, 'second'), second)
  const whole = Buffer.concat([head, first.subarray(5), second.subarray(0, 2_300_000)])
  const content = {
    head,
    size: whole.length,
    parts: [
      { file: join(folder, 'first'), at: 5, length: first.length - 5 },
      { file: join(folder, 'second'), at: 0, length: 2_300_000 }
    ]
  }
  const { info, infoHash } = await makeTorrentInfo('film.mp4', content)
  expect(infoHash).toBe(createHash('sha1').update(info).digest('hex'))
  const metainfo = makeMetainfo(info, {
    webSeeds: ['http://a.example/film.mp4'],
    trackers: ['http://a.example/announce', 'ws://a.example']
  })
  const { value, slices } = readBencoded(metainfo)
  expect(createHash('sha1').update(slices.info!).digest('hex')).toBe(infoHash)
  expect(value).toMatchObject({
    announce: Buffer.from('http://a.example/announce'),
    'announce-list': [[Buffer.from('http://a.example/announce')], [Buffer.from('ws://a.example')]],
    'url-list': [Buffer.from('http://a.example/film.mp4')],
    info: { length: whole.length, name: Buffer.from('film.mp4'), 'piece length': 65_536 }
  })
  const digests = []
  for (let at = 0; at < whole.length; at += 65_536)
    digests.push(
      createHash('sha1')
        .update(whole.subarray(at, at + 65_536))
        .digest()
    )
  expect((value as any).info.pieces.equals(Buffer.concat(digests))).toBe(true)
  expect(Object.keys(readBencoded(makeMetainfo(info, { webSeeds: [], trackers: [] })).value as object)).toEqual(['info'])

  content.parts[1]!.length += 2
  await expect(makeTorrentInfo('film.mp4', content)).rejects.toThrow('ends before')
  await expect(makeTorrentInfo('film.mp4', content, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
})

it('keeps the number of pieces and their length within bounds', () => {
  for (const size of [0, 1, 1e6, 1e9, 1e10]) {
    expect(Math.log2(pieceLength(size)) % 1).toBe(0)
    expect(size / pieceLength(size)).toBeLessThanOrEqual(2048)
  }
  expect(pieceLength(1e15)).toBe(16 * 1024 * 1024)
})
