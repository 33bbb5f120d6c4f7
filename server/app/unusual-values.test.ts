import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

let site: TestInstance
let root: string
let ada: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  root = await site.login()
  ada = await site.user('ada')
})
afterAll(async () => await site?.stop())

const faultOf = async (key: string, name: string, body?: object, headers?: Record<string, string>, token = ada.token) => {
  const { status, json } = await site.call(key, { token, body, headers })
  return [status, json?.['invalid-params']?.[name]?.msg]
}

test('halves of characters and NUL are refused in every text and name, whole characters are not', async () => {
  const { uuid } = await seedVideo({ channelId: ada.channelId })
  const upload = { 'x-upload-content-length': '1000', 'x-upload-content-type': 'video/mp4' }
  const half = 'Should not hold half of a character (a lone surrogate)'
  for (const text of ['a\ud800bc', 'a\udc00bc', '\udc00\ud800bc', 'abc\ud83d'])
    for (const [key, body, name, headers] of [
      ['POST /videos/upload-resumable', { channelId: ada.channelId, filename: 'a.mp4', name: text }, 'name', upload],
      [
        'POST /videos/upload-resumable',
        { channelId: ada.channelId, filename: 'a.mp4', name: 'A film', tags: ['ok', text] },
        'tags',
        upload
      ],
      [`POST /videos/${uuid}/comment-threads`, { text }, 'text', undefined],
      ['PUT /users/me', { unknown: { [text]: 1 } }, 'unknown', undefined]
    ] as const)
      expect([key, text, await faultOf(key, name, body, headers)]).toEqual([key, text, [400, half]])
  expect(await faultOf('PATCH /config/custom', 'instance', { instance: { name: 'a\ud800' } }, undefined, root)).toEqual([400, half])
  expect(await faultOf('PATCH /config/custom', 'instance', { instance: { 'a\0': 1 } }, undefined, root)).toEqual([
    400,
    'Should not hold a NUL character'
  ])
  const { status } = await site.call(`POST /videos/${uuid}/comment-threads`, { token: ada.token, body: { text: '👩‍👩‍👧‍👦 𝒜 \uFFFD' } })
  expect(status).toBe(200)
})

test('dates are of the years 1 to 9999', async () => {
  const { uuid } = await seedVideo({ channelId: ada.channelId })
  for (const date of [
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-12:00',
    '+275760-09-13T00:00:00Z',
    'Infinity',
    '2024-02-30x'
  ]) {
    const text = encodeURIComponent(date)
    for (const name of ['startDate', 'endDate', 'originallyPublishedStartDate', 'originallyPublishedEndDate'])
      expect([date, await faultOf(`GET /search/videos?${name}=${text}`, name)]).toEqual([date, [400, 'Invalid value']])
    const changes = { originallyPublishedAt: date }
    expect([date, await faultOf(`PUT /videos/${uuid}`, 'originallyPublishedAt', changes)]).toEqual([date, [400, 'Invalid value']])
    await runQuery(sql`INSERT INTO peers (host) VALUES ('peer.example') ON CONFLICT DO NOTHING`)
    const since = await faultOf('POST /server/peers/peer.example/resync', 'since', { since: date }, undefined, root)
    expect([date, since]).toEqual([date, [400, 'Invalid value']])
  }
  for (const date of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z', '1969-07-20']) {
    expect((await site.call(`GET /search/videos?startDate=${date}`)).status).toBe(200)
    expect((await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { originallyPublishedAt: date } })).status).toBe(204)
    const { json } = await site.call(`GET /videos/${uuid}`)
    expect(json.originallyPublishedAt).toBe(new Date(date).toISOString())
  }
})
