import { randomUUID } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { CaptionKind } from '../../shared/captions.ts'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { seedVideo } from '../test/seed-video.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { insertCaption } from './captions.ts'

let site: TestInstance
let ada: Awaited<ReturnType<TestInstance['user']>>
let grace: Awaited<ReturnType<TestInstance['user']>>
let root: string
let uuid: string
let folder: string
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  ada = await site.user('ada')
  grace = await site.user('grace')
  root = await site.login()
  folder = join(site.folder, 'captions')
  await mkdir(folder, { recursive: true })
})
afterAll(async () => await site?.stop())

beforeEach(async () => {
  uuid = await seed([
    ['en', 'subtitles'],
    ['en', 'forced'],
    ['en', 'hearing_impaired'],
    ['de', 'hearing_impaired'],
    ['fr', 'forced']
  ])
})

async function seed(tracks: [language: string, kind: CaptionKind][], fields = {}): Promise<string> {
  const video = await seedVideo({ channelId: ada.channelId, ...fields })
  for (const [language, kind] of tracks) {
    const filename = `${randomUUID()}-${language}.vtt`
    await writeFile(join(folder, filename), `WEBVTT\n\n00:01.000 --> 00:02.000\n${language} ${kind}\n`)
    await transaction(async tx => await insertCaption(video.id, { language, kind, filename }, tx))
  }
  return video.uuid
}
type ListedTrack = { language: { id: string; label: string }; kind?: string; captionPath: string }
const list = async (path: 'captions' | 'caption-tracks', token?: string): Promise<ListedTrack[]> => {
  const { status, json } = await site.call(`GET /videos/${uuid}/${path}`, { token })
  expect([status, json.total]).toEqual([200, json.data.length])
  return json.data
}
const summary = async (path: 'captions' | 'caption-tracks') =>
  await Promise.all(
    (await list(path)).map(async ({ language, captionPath }) => {
      const text = await (await fetch(site.url + captionPath)).text()
      return `${language.id}: ${text.trim().split('\n').at(-1)}`
    })
  )
const remove = async (address: string, token: string | undefined = ada.token) =>
  await site.call(`DELETE /videos/${uuid}/captions/${address}`, { token })

it('the API has one per language, never a forced one; the tracks are all', async () => {
  expect(await summary('captions')).toEqual(['de: de hearing_impaired', 'en: en subtitles'])
  const [german] = await list('captions')
  expect(german).toEqual({
    language: { id: 'de', label: 'German' },
    automaticallyGenerated: false,
    captionPath: expect.stringMatching(/^\/lazy-static\/video-captions\/[\w-]+\.vtt$/),
    updatedAt: expect.any(String)
  })
  expect((await list('caption-tracks')).map(({ language, kind }) => [language.id, kind])).toEqual([
    ['de', 'hearing_impaired'],
    ['en', 'subtitles'],
    ['en', 'hearing_impaired'],
    ['en', 'forced'],
    ['fr', 'forced']
  ])
  expect(await summary('caption-tracks')).toHaveLength(5)
})

it('other servers are told of one per language', async () => {
  const response = await fetch(`${site.url}/videos/watch/${uuid}`, { headers: { accept: 'application/activity+json' } })
  const { subtitleLanguage } = (await response.json()) as { subtitleLanguage: { identifier: string; url: string }[] }
  expect(subtitleLanguage.map(({ identifier }) => identifier)).toEqual(['de', 'en'])
  const paths = (await list('captions')).map(({ captionPath }) => captionPath)
  expect(subtitleLanguage.map(({ url }) => new URL(url).pathname)).toEqual(paths)
})

it('a track of a kind is deleted, and leaves the others of its language', async () => {
  const before = (await readdir(folder)).length
  expect((await remove('en?kind=forced')).status).toBe(204)
  expect(await summary('caption-tracks')).toEqual([
    'de: de hearing_impaired',
    'en: en subtitles',
    'en: en hearing_impaired',
    'fr: fr forced'
  ])
  expect(await readdir(folder)).toHaveLength(before - 1)
  // Without a kind: what the API has for the language, first the full track, then what takes its place.
  expect((await remove('en')).status).toBe(204)
  expect(await summary('captions')).toEqual(['de: de hearing_impaired', 'en: en hearing_impaired'])
  expect((await remove('en')).status).toBe(204)
  expect(await summary('captions')).toEqual(['de: de hearing_impaired'])
  expect((await remove('en')).json).toMatchObject({ status: 404, detail: 'Video caption not found' })
  expect((await remove('fr')).status).toBe(404)
  expect((await remove('fr?kind=subtitles')).status).toBe(404)
  expect((await remove('fr?kind=forced')).status).toBe(204)
})

it('only who may change the video deletes; what is malformed is refused, and nothing is changed', async () => {
  const before = await summary('caption-tracks')
  expect((await site.call(`DELETE /videos/${uuid}/captions/en`)).status).toBe(401)
  expect((await remove('en', grace.token)).status).toBe(403)
  for (const [address, parameter] of [
    ['xx', 'captionLanguage'],
    ['%27%3B--', 'captionLanguage'],
    ['EN', 'captionLanguage'],
    ['en?kind=full', 'kind'],
    ['en?kind=', 'kind'],
    ['en?kind[]=forced', 'kind']
  ]) {
    const { status, json } = await remove(address!)
    expect([address, status, json.detail]).toEqual([address, 400, `Incorrect request parameters: ${parameter}`])
  }
  expect((await site.call(`DELETE /videos/${randomUUID()}/captions/en`, { token: ada.token })).status).toBe(404)
  expect(await summary('caption-tracks')).toEqual(before)
  expect((await remove('en', root)).status).toBe(204)
})

it('of many who delete the same one succeeds', async () => {
  const statuses = (await Promise.all(Array.from({ length: 6 }, async () => await remove('en?kind=forced')))).map(({ status }) => status)
  expect(statuses.sort()).toEqual([204, 404, 404, 404, 404, 404])
})

it('a second track of a language and kind is not stored', async () => {
  const [video] = await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE uuid = ${uuid}`)
  for (const kind of ['subtitles', 'forced', 'hearing_impaired'] as const) {
    const track = { language: 'en', kind, filename: `${randomUUID()}-en.vtt` }
    expect(await transaction(async tx => await insertCaption(video!.id, track, tx))).toBe(false)
  }
})

it('the tracks of a private video are for those who may watch it', async () => {
  uuid = await seed([['en', 'forced']], { privacy: 3 })
  expect((await site.call(`GET /videos/${uuid}/caption-tracks`)).status).toBe(401)
  expect((await site.call(`GET /videos/${uuid}/caption-tracks`, { token: grace.token })).status).toBe(403)
  expect(await list('caption-tracks', ada.token)).toHaveLength(1)
})
