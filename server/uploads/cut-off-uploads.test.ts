import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { createScratchFolder, h264Args, runFfmpegIn, toneInputArgs, videoInputArgs } from '../test/media-fixtures.ts'
import { uploadVideo, waitForTranscoding } from '../test/upload.ts'

let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let bob: Awaited<ReturnType<TestInstance['user']>>
let moderator: Awaited<ReturnType<TestInstance['user']>>
let scratch: Awaited<ReturnType<typeof createScratchFolder>>
beforeAll(async () => {
  scratch = await createScratchFolder()
  site = await startTestInstance()
  alice = await site.user('alice')
  bob = await site.user('bob')
  moderator = await site.user('moderator', { role: 1 })
})
afterAll(async () => {
  await site?.stop()
  await scratch?.remove()
})

const SECONDS = 8
const h264 = [...h264Args, '-c:a', 'aac']
const KINDS: Record<string, string[]> = {
  mp4: [...h264, '-movflags', '+faststart', '-f', 'mp4'],
  mkv: [...h264, '-f', 'matroska'],
  avi: ['-c:v', 'mpeg4', '-c:a', 'libmp3lame', '-f', 'avi']
}

async function makeFile(kind: string, share: number): Promise<Buffer<ArrayBuffer>> {
  await runFfmpegIn(scratch.folder, ...videoInputArgs(SECONDS, 25, '320x180'), ...toneInputArgs(SECONDS), ...KINDS[kind]!, 'film')
  const bytes = await readFile(join(scratch.folder, 'film'))
  return Buffer.from(bytes.subarray(0, Math.floor(bytes.length * share)))
}

it.each(Object.keys(KINDS))('%s: who manages a video with a cut-off file learns how much could be read', async kind => {
  const { uuid } = await uploadVideo(site, alice, {}, await makeFile(kind, 0.6))
  await waitForTranscoding(site, alice, uuid)
  for (const { token } of [alice, moderator]) {
    const { json: transcoding } = await site.call(`GET /videos/${uuid}/transcoding`, { token })
    const { json: source } = await site.call(`GET /videos/${uuid}/source`, { token })
    expect(transcoding).toMatchObject({ state: 'done', playable: true })
    expect(transcoding.truncatedAt).toBeGreaterThan(3)
    expect(transcoding.truncatedAt).toBeLessThan(6)
    expect(source.truncatedAt).toBe(transcoding.truncatedAt)
  }
  expect((await site.call(`GET /videos/${uuid}/transcoding`, { token: bob.token })).status).toBe(403)
  expect((await site.call(`GET /videos/${uuid}/transcoding`)).status).toBe(401)
  for (const token of [undefined, bob.token]) {
    const { status, text } = await site.call(`GET /videos/${uuid}`, { token })
    expect([status, text.includes('truncatedAt')]).toEqual([200, false])
  }
})

it.each(Object.keys(KINDS))('%s: of a whole file nothing is said', async kind => {
  const { uuid } = await uploadVideo(site, alice, {}, await makeFile(kind, 1))
  await waitForTranscoding(site, alice, uuid)
  for (const path of ['transcoding', 'source'])
    expect((await site.call(`GET /videos/${uuid}/${path}`, { token: alice.token })).json.truncatedAt).toBeNull()
})
