import { existsSync, readdirSync } from 'node:fs'
import fs from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import sharp from 'sharp'
import type { RouteSpec } from '../../shared/contract.ts'
import { logger } from '../core/logger.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { apiContracts } from './contracts.ts'

const routes = apiContracts
  .flatMap(contract => Object.entries(contract) as [string, RouteSpec][])
  .flatMap(([key, { files }]) => (files ? [[key, Object.keys(files)[0]!] as const] : []))

let site: TestInstance
let token: string
let image: Buffer
let values: Record<string, string>
const logged = vi.spyOn(logger, 'error')
const warned = vi.spyOn(logger, 'warn')
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  token = await site.login()
  const { videoChannels } = (await site.call('GET /users/me', { token })).json
  const { uuid } = await seedVideo({ channelId: videoChannels[0].id })
  const playlist = await site.call('POST /video-playlists', { token, body: { displayName: 'Films' } })
  values = { id: uuid, playlistId: playlist.json.videoPlaylist.uuid, channelHandle: videoChannels[0].name, channelId: videoChannels[0].id }
  image = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#369' } })
    .png()
    .toBuffer()
})
afterAll(async () => await site?.stop())

const pathOf = (key: string) => key.replace(/:(\w+)/g, (_, name: string) => values[name]!)
const part = (header: string, body: string | Buffer = 'x') =>
  Buffer.concat([Buffer.from(`--b\r\n${header}\r\n\r\n`, 'latin1'), Buffer.from(body), Buffer.from('\r\n')])
const END = Buffer.from('--b--\r\n')
const disposition = (name: string, filename?: string) =>
  `Content-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}`

async function send(key: string, parts: Buffer[], headers: Record<string, string> = {}) {
  return await site.call(pathOf(key), {
    token,
    headers: {
      'content-type': 'multipart/form-data; boundary=b',
      'x-upload-content-length': '5',
      'x-upload-content-type': 'video/mp4',
      ...headers
    },
    body: new Uint8Array(Buffer.concat(parts))
  })
}

const temporaryFiles = () => {
  const folder = join(site.folder, 'tmp')
  return existsSync(folder) ? readdirSync(folder) : []
}
const expectNoTemporaryFiles = async () => await eventually(async () => temporaryFiles().length === 0, 5, 'storage.tmp to be empty')

/** What is wrong in a form, by the name of the field of the file. */
const MALFORMED: [what: string, parts: (file: string) => Buffer[], headers?: Record<string, string>][] = [
  ['a part with a malformed header', file => [part(disposition(file, 'a.png')), part('Content-Disposition\0: form-data; name="a"'), END]],
  ['a malformed header after a large file', file => [part(disposition(file, 'a.png'), 'x'.repeat(90_000)), part('a b: c'), END]],
  ['a header that is none', file => [part('nonsense'), part(disposition(file, 'a.png')), END]],
  ['a NUL in the name of a field', file => [part(disposition(file, 'a.png')), part(disposition('na\0me')), END]],
  ['a NUL in the name of a file', file => [part(disposition(file, 'a\0.png')), END]],
  [
    'an encoded NUL in the name of a file',
    file => [part(`Content-Disposition: form-data; name="${file}"; filename*=utf-8''a%00.png`, image), END]
  ],
  [
    'a NUL in a value',
    file => [part(disposition(file, 'a.png')), part(disposition('name'), 'a\0b'), part(disposition('displayName'), 'a\0b'), END]
  ],
  [
    'half of a character in a name',
    file => [part(disposition(file, 'a.png')), part(disposition('name\xff[a')), part(disposition('a[b]]')), END, Buffer.from('x')]
  ],
  ['no boundary', file => [part(disposition(file, 'a.png')), END], { 'content-type': 'multipart/form-data' }],
  ['another boundary', file => [part(disposition(file, 'a.png')), END], { 'content-type': 'multipart/form-data; boundary=c' }],
  ['an empty body', () => []],
  ['only the last boundary', () => [END]],
  ['a body that is cut off in a file', file => [part(disposition(file, 'a.png'), 'x'.repeat(70_000)).subarray(0, 66_000)]],
  ['a body that is cut off in a header', file => [part(disposition(file, 'a.png')), Buffer.from('--b\r\nContent-Dispo')]],
  ['a part without a name', file => [part(disposition(file, 'a.png')), part('Content-Disposition: form-data'), END]],
  ['fields within fields', file => [part(disposition(file, 'a.png')), part(disposition('a[b][c][d][e][f]')), END]],
  [
    '__proto__',
    file => [
      part(disposition(file, 'a.png')),
      part(disposition('__proto__[polluted]')),
      part(disposition('constructor[prototype][polluted]')),
      END
    ]
  ],
  [
    'a field that is text and list',
    file => [part(disposition(file, 'a.png')), part(disposition('tags')), part(disposition('tags[a][b]')), END]
  ],
  [
    'too many fields',
    file => [part(disposition(file, 'a.png')), ...Array.from({ length: 101 }, (_, index) => part(disposition(`a${index}`))), END]
  ],
  ['too many files', file => [...Array.from({ length: 7 }, () => part(disposition(file, 'a.png'))), END]],
  ['a field that is too large', file => [part(disposition(file, 'a.png')), part(disposition('name'), 'x'.repeat(110_000)), END]],
  ['a name that is too long', file => [part(disposition(file, 'a.png')), part(disposition('n'.repeat(300))), END]],
  ['a file in a field of no file', () => [part(disposition('nofile', 'a.png')), END]],
  ['a file in __proto__', () => [part(disposition('__proto__', 'a.png')), END]],
  ['two files in one field', file => [part(disposition(file, 'a.png')), part(disposition(file, 'b.png')), END]],
  ['a file without a name', file => [part(disposition(file, '')), END]],
  ['text in the place of the file', file => [part(disposition(file)), END]]
]

it('there are routes with files', () => expect(routes.length).toBeGreaterThanOrEqual(8))

/** What is no error: fields that a route does not know are ignored, and an edit needs no file. */
const isIgnored = (key: string, what: string) =>
  ['PUT /videos/:id', 'PUT /video-playlists/:playlistId'].includes(key)
    ? ['__proto__', 'only the last boundary', 'a file without a name', 'text in the place of the file', 'an empty body'].includes(what)
    : false

describe.each(routes)('%s', (key, file) => {
  it.each(MALFORMED)('%s is refused, and nothing stays', async (what, parts, headers) => {
    logged.mockClear()
    const { status, json, headers: sent } = await send(key, parts(file), headers)
    if (status < 300) expect([what, isIgnored(key, what)]).toEqual([what, true])
    else
      expect([status, json?.status, sent.get('content-type')]).toEqual([
        key === 'POST /videos/upload' && status === 415 ? 415 : 400,
        status,
        'application/problem+json; charset=utf-8'
      ])
    expect(logged.mock.calls).toEqual([])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    await expectNoTemporaryFiles()
  })

  it('a client that leaves in the middle is no error, and nothing stays', async () => {
    logged.mockClear()
    warned.mockClear()
    for (const [length, sent] of [
      [1_000_000, part(disposition(file, 'a.png'), 'x'.repeat(200_000)).subarray(0, 150_000)],
      [1_000_000, Buffer.concat([part(disposition(file, 'a.png'), 'x'.repeat(200_000)), part(disposition('name'))])],
      [20, Buffer.concat([part(disposition(file, 'a.png')), END])]
    ] as const) {
      await leave(key, length, sent)
      await expectNoTemporaryFiles()
    }
    expect([...logged.mock.calls, ...warned.mock.calls]).toEqual([])
  })

  it('a full disk is 507', async () => {
    logged.mockClear()
    const { open } = fs
    // Whatever is written to this device finds the disk full.
    const full = vi.spyOn(fs, 'open').mockImplementation(((path: string, flags: string, ...rest: unknown[]) => {
      const target = String(path).startsWith(join(site.folder, 'tmp')) ? ['/dev/full', 'w'] : [path, flags]
      ;(open as (...all: unknown[]) => void)(...target, ...rest)
    }) as never)
    try {
      const { status, json } = await send(key, [part(disposition(file, 'a.png'), image), END])
      expect([status, json.code, json.status]).toEqual([507, 'insufficient_storage', 507])
    } finally {
      full.mockRestore()
    }
    expect(logged.mock.calls).toEqual([])
    await expectNoTemporaryFiles()
  })
})

/** Sends a beginning of the request and disconnects once it was received. */
async function leave(key: string, length: number, sent: Buffer): Promise<void> {
  const [method, path] = pathOf(key).split(' ')
  await new Promise<void>(resolve => {
    const socket = connect(Number(new URL(site.url).port), '127.0.0.1', () => {
      socket.write(
        `${method} /api/v1${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${length}\r\n\r\n`
      )
      socket.write(sent, () => setTimeout(() => socket.resetAndDestroy(), 30))
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })
}

it('images that were converted for a request that is refused do not stay', async () => {
  const fields = [part(disposition('thumbnailfile', 'a.png'), image), part(disposition('channelId'), '999999'), END]
  expect((await send('PUT /videos/:id', fields)).json.detail).toMatch(/channel/i)
  const both = [part(disposition('thumbnailfile', 'a.png'), image), part(disposition('previewfile', 'b.png'), 'no image'), END]
  expect((await send('PUT /videos/:id', both)).json['invalid-params']).toHaveProperty('previewfile')
  await expectNoTemporaryFiles()
})
