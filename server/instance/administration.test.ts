import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openQueue } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { createRoles, statusesByRole, type RoleTokens } from '../test/roles.ts'

let instance: TestInstance
let tokens: RoleTokens
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
  tokens = await createRoles(instance)
})
afterAll(async () => await instance?.stop())

const post = async (path: string, body: unknown, token = tokens.administrator) => await instance.call(`POST ${path}`, { token, body })

describe('a debug command', () => {
  const run = async (command: unknown, token = tokens.administrator) => await post('/server/debug/run-command', { command }, token)
  const waiting = async () => (await (await openQueue('maintenance')).getJobs(['waiting'])).map(job => job.name)

  test('is for administrators', async () => {
    const call = async (token: string) => await run('process-video-views-buffer', token)
    expect((await instance.call('POST /server/debug/run-command', { body: { command: 'x' } })).json.code).toBe('unauthorized_request')
    expect(await statusesByRole(tokens, call)).toEqual([401, 403, 403, 403, 204])
  })

  test.each([
    ['process-video-views-buffer', 'videos-views-stats'],
    ['process-video-viewers', 'videos-views-stats'],
    ['remove-dandling-resumable-uploads', 'sweep-uploads'],
    ['process-update-videos-scheduler', 'publish-scheduled']
  ])('%s starts the job %s', async (command, job) => {
    const count = async () => (await waiting()).filter(name => name === job).length
    const before = await count()
    expect((await run(command)).status).toBe(204)
    expect(await count()).toBe(before + 1)
  })

  test.each(['rm', '', 'constructor', '__proto__', 'process-video-channel-sync-latest'])('%j is refused, as recorded', async command => {
    const before = (await waiting()).length
    expect((await run(command)).json).toMatchObject({
      status: 400,
      title: 'Bad Request',
      detail: 'Invalid command',
      error: 'Invalid command'
    })
    expect((await waiting()).length).toBe(before)
  })

  test.each([undefined, null, 5, ['rm'], 'x'.repeat(101)])('%j is no command', async command => {
    expect((await run(command)).json).toMatchObject({ status: 400, detail: 'Incorrect request parameters: command' })
  })
})

describe('an error of a client', () => {
  const report = { message: 'oops', url: 'http://x.example', level: 'error', stackTrace: 's', userAgent: 'ua' }

  test('is accepted from everybody and written into the log, on one line', async () => {
    const log = vi.spyOn(logger, 'log').mockReturnValue(logger)
    expect(await statusesByRole(tokens, async token => await post('/server/logs/client', report, token))).toEqual(Array(5).fill(204))
    expect(log).toHaveBeenCalledWith('error', 'A client reports an error', {
      report: { message: 'oops', url: 'http://x.example', stackTrace: 's', userAgent: 'ua' },
      ip: expect.any(String)
    })
    expect((await post('/server/logs/client', { message: 'm', url: 'u', level: 'warn', meta: 'a\nb', more: 'ignored' })).status).toBe(204)
    expect(log.mock.lastCall).toEqual([
      'warn',
      'A client reports an error',
      { report: { message: 'm', url: 'u', meta: 'a\nb' }, ip: expect.any(String) }
    ])
    log.mockRestore()
  })

  test('cannot write further lines into the log', async () => {
    const lines: string[] = []
    const write = vi.spyOn(logger.transports[0] as Required<(typeof logger.transports)[number]>, 'log').mockImplementation((info, next) => {
      lines.push(info[Symbol.for('message')])
      next()
    })
    const forged = '\n2026-01-01T00:00:00.000Z error \u001b[31mroot logged in'
    expect((await post('/server/logs/client', { ...report, message: `x${forged}`, stackTrace: `y${forged}` })).status).toBe(204)
    logger.error(`z${forged}`)
    write.mockRestore()
    expect(lines.length).toBe(2)
    expect(lines[0]).toMatch(/^\S+Z error A client reports an error \{"report":\{"message":"x\\n2026/)
    for (const line of lines) expect(line).toMatch(/^\P{Cc}+$/u)
  })

  test.each([
    ['level only', { level: 'nope' }, ['message', 'url', 'level']],
    ['a level that would be lower', { ...report, level: 'debug' }, ['level']],
    ['too long a message', { ...report, message: 'x'.repeat(5001) }, ['message']],
    ['too long a stack trace', { ...report, stackTrace: 'x'.repeat(15_001) }, ['stackTrace']],
    ['an object as message', { ...report, message: { toString: 'x' } }, ['message']],
    ['a NUL', { ...report, message: 'a\0' }, ['message']]
  ])('with %s is refused', async (_what, body, names) => {
    const log = vi.spyOn(logger, 'log')
    const { json } = await post('/server/logs/client', body)
    expect(json).toMatchObject({ status: 400, detail: `Incorrect request parameters: ${names.join(', ')}` })
    expect(Object.keys(json['invalid-params'])).toEqual(names)
    expect(log).not.toHaveBeenCalled()
    log.mockRestore()
  })
})

test.each([
  ['lists', '['.repeat(40_000) + ']'.repeat(40_000)],
  ['objects', '{"a":'.repeat(15_000) + '1' + '}'.repeat(15_000)]
])('a body of deeply nested %s is refused by every route', async (_what, nested) => {
  const send = async (key: string, body: string) => {
    const [method, path] = key.split(' ') as [string, string]
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${tokens.administrator}` }
    return await fetch(`${instance.url}/api/v1${path}`, { method, headers, body })
  }
  for (const key of ['POST /metrics/playback', 'POST /server/logs/client', 'PATCH /config/custom', 'PUT /config/custom', 'PUT /users/me'])
    for (const body of [nested, `{"name":${nested}}`]) {
      const response = await send(key, body)
      expect([key, response.status]).toEqual([key, 400])
      expect(((await response.json()) as any)['invalid-params']).toBeTruthy()
    }
})

test.each([
  ['no boundary', 'multipart/form-data', 'x'],
  ['no end', 'multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="avatarfile"; filename="a.png"\r\n\r\nabc'],
  ['a part without a head', 'multipart/form-data; boundary=x', '--x\r\n\r\nabc\r\n--x--'],
  ['a malformed head', 'multipart/form-data; boundary=x', '--x\r\nContent Disposition form-data\r\n\r\nabc\r\n--x--'],
  ['nothing in it', 'multipart/form-data; boundary=x', '']
])('a multipart request with %s is refused', async (_what, type, body) => {
  const response = await fetch(`${instance.url}/api/v1/config/instance-avatar/pick`, {
    method: 'POST',
    headers: { 'content-type': type, authorization: `Bearer ${tokens.administrator}` },
    body
  })
  expect(response.status).toBe(400)
})

test('metrics of players are accepted from everybody, as recorded also without values', async () => {
  const metrics = { playerMode: 'p2p-media-loader', resolution: 720, errors: 0, videoId: '2350f605-4ebe-408c-af48-caa74c91d4ae' }
  for (const body of [metrics, { videoId: metrics.videoId }])
    expect(await statusesByRole(tokens, async token => await post('/metrics/playback', body, token))).toEqual(Array(5).fill(204))
  expect((await post('/metrics/playback', ['x'])).status).toBe(400)
})

describe.each([
  ['avatar', 'avatarfile', 'icon', [48, 120, 600, 1500]],
  ['banner', 'bannerfile', 'image', [600, 1920]]
] as const)('the %s of the instance', (kind, field, property, widths) => {
  const image = async () =>
    await sharp({ create: { width: 600, height: 100, channels: 3, background: '#c04060' } })
      .png()
      .toBuffer()
  const pick = async (bytes: Uint8Array, { token = tokens.administrator, name = field as string } = {}) => {
    const multipart = new FormData()
    multipart.append(name, new Blob([bytes as BlobPart]), 'image.png')
    return await instance.call(`POST /config/instance-${kind}/pick`, { token, multipart })
  }
  const remove = async (token = tokens.administrator) => await instance.call(`DELETE /config/instance-${kind}`, { token })
  const shown = async () => ({
    config: (await instance.call('GET /config')).json.instance[`${kind}s`],
    about: (await instance.call('GET /config/about')).json.instance[`${kind}s`],
    actor: (await instance.call('GET //accounts/peertube', { headers: { accept: 'application/activity+json' } })).json[property] ?? []
  })
  const files = () => readdirSync(join(instance.folder, `${kind}s`)).sort()

  test('is set and removed by administrators only', async () => {
    const bytes = await image()
    expect(await statusesByRole(tokens, async token => await pick(bytes, { token }))).toEqual([401, 403, 403, 403, 204])
    expect(await statusesByRole(tokens, async token => await remove(token))).toEqual([401, 403, 403, 403, 204])
  })

  test('is shown by the configuration, the about page and the instance actor, until it is removed', async () => {
    expect(await shown()).toEqual({ config: [], about: [], actor: [] })
    const answer = await pick(await image())
    expect([answer.status, answer.text]).toEqual([204, ''])
    const { config, about, actor } = await shown()
    expect(config.map((one: { width: number }) => one.width)).toEqual(widths)
    expect(about).toEqual(config)
    expect(actor.map((one: { url: string }) => one.url).sort()).toEqual(config.map((one: { fileUrl: string }) => one.fileUrl).sort())
    for (const { path } of config) expect((await instance.call(`GET /${path}`)).status).toBe(200)
    expect(files()).toHaveLength(widths.length)
    const [update] = await runQuery<{ object: Record<string, unknown> }>(
      sql`SELECT activity -> 'object' AS object FROM outgoing WHERE type = 'Update' AND actor = ${`${instance.url}/accounts/peertube`}
        ORDER BY id DESC LIMIT 1`
    )
    expect(update!.object[property]).toEqual(actor)
    await pick(await image())
    expect((await shown()).config.map((one: { path: string }) => one.path)).not.toEqual(config.map((one: { path: string }) => one.path))
    expect((await remove()).status).toBe(204)
    expect(await shown()).toEqual({ config: [], about: [], actor: [] })
    expect((await remove()).status).toBe(204)
  })

  test('is not changed by what is no image, of another field, missing or too large', async () => {
    await pick(await image())
    const before = [await shown(), files()]
    for (const [bytes, options] of [
      [Buffer.from('<svg onload="alert(1)">'), {}],
      [Buffer.alloc(0), {}],
      [await image(), { name: 'file' }]
    ] as const) {
      const { status, json } = await pick(bytes, options)
      expect(status).toBe(400)
      if (!('name' in options)) expect(Object.keys(json['invalid-params'])).toEqual([field])
    }
    expect((await pick(Buffer.alloc(20 * 2 ** 20))).status).toBe(400)
    expect((await post(`/config/instance-${kind}/pick`, {})).status).toBe(400)
    expect([await shown(), files()]).toEqual(before)
    await remove()
  })
})
