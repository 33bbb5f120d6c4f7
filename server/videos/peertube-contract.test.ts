import { readFileSync } from 'node:fs'
import type * as PeerTube from '@peertube/peertube-types'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Video, VideoDetails } from '../../shared/videos.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'

/** What a PeerTube 6.3 answered. */
const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))

let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let uuid: string
beforeAll(async () => {
  site = await startTestInstance({ transcoding: { original_file: { keep: true } }, storyboards: { enabled: true } })
  alice = await site.user('alice')
  uuid = (
    await uploadVideo(site, alice, { category: 2, licence: 1, language: 'en', tags: ['one'], description: 'Words', support: 'Thanks' })
  ).uuid
  await waitForTranscoding(site, alice, uuid)
})
afterAll(async () => await site?.stop())

it.each([
  ['details', (): string => `GET /videos/${uuid}`, false],
  ['list', (): string => 'GET /videos', false],
  ['mine', (): string => 'GET /users/me/videos', true],
  ['token', (): string => `POST /videos/${uuid}/token`, true],
  ['storyboards', (): string => `GET /videos/${uuid}/storyboards`, false],
  ['source', (): string => `GET /videos/${uuid}/source`, true]
] as const)('%s has the recorded shape', async (name, key, mine) => {
  const { status, json } = await site.call(key(), mine ? { token: alice.token } : {})
  expect(status).toBe(200)
  expect(findJsonShapeDifferences(recorded[name], json)).toEqual([])
})

it('passwords have the recorded shape', async () => {
  const closed = await uploadVideo(site, alice, { privacy: 5, videoPasswords: ['secret1'] })
  expect(
    findJsonShapeDifferences(recorded.passwords, (await site.call(`GET /videos/${closed.uuid}/passwords`, { token: alice.token })).json)
  ).toEqual([])
})

it('a malformed id is the recorded problem, word for word', async () => {
  expect((await site.call('GET /videos/not%20an%20id')).json).toEqual(recorded.malformed)
})

it('the newer model of PeerTube 8 is met, as far as videos go', () => {
  // Checked by the compiler: a field that PeerTube 8 promises and we lack does not compile here.
  type Missing<Promised, Ours> = Exclude<{ [K in keyof Promised]-?: undefined extends Promised[K] ? never : K }[keyof Promised], keyof Ours>
  type Later = 'thumbnails'
  const list: Exclude<Missing<PeerTube.Video, Video>, Later>[] = []
  const details: Exclude<Missing<PeerTube.VideoDetails, VideoDetails>, Later>[] = []
  // @ts-expect-error: the check notices a lack
  const lack: Missing<PeerTube.Video & { invented: string }, Video>[] = ['uuid']
  expect([...list, ...details, ...lack]).toEqual(['uuid'])
})
