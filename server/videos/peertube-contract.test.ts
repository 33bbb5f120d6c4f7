import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'

/** Responses recorded from PeerTube 6.3. */
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
] as const)('%s has the recorded shape', async (name, key, authenticated) => {
  const { status, json } = await site.call(key(), authenticated ? { token: alice.token } : {})
  expect(status).toBe(200)
  expect(findJsonShapeDifferences(recorded[name], json)).toEqual([])
})

it('passwords have the recorded shape', async () => {
  const protectedVideo = await uploadVideo(site, alice, { privacy: 5, videoPasswords: ['secret1'] })
  expect(
    findJsonShapeDifferences(
      recorded.passwords,
      (await site.call(`GET /videos/${protectedVideo.uuid}/passwords`, { token: alice.token })).json
    )
  ).toEqual([])
})

it('a malformed id gets exactly the recorded problem document', async () => {
  expect((await site.call('GET /videos/not%20an%20id')).json).toEqual({
    ...recorded.malformed,
    docs: `${site.url}/api/v1/docs#getVideosId`
  })
})
