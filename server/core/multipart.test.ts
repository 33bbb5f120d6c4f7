import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { config } from './config.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { openUpload, type OpenUpload } from '../test/open-upload.ts'

let site: TestInstance
let user: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({ upload: { keep_free: 0, avatar_max_size: '1MB' } }, ['web'])
  user = await site.user('alice')
})
afterAll(async () => await site?.stop())

const opened: OpenUpload[] = []
const openPicture = (size: number, announced = true) => {
  const upload = openUpload(site.url, user, size, { announced, path: '/users/me/avatar/pick', field: 'avatarfile', name: 'a.png' })
  opened.push(upload)
  return upload
}
const isEmpty = async () => (await readdir(join(site.folder, 'tmp')).catch(() => [])).length === 0
afterEach(async () => {
  for (const upload of opened.splice(0)) upload.cut()
  config.upload.keep_free = 0
  config.upload.idle_timeout = 60_000
  await eventually(isEmpty, 10, 'the files to be removed')
})

it.each([true, false])('a file that is too large is ended while it arrives (Content-Length: %s)', async announced => {
  const upload = openPicture(100_000_000, announced)
  void upload.send(20_000_000)
  expect(await upload.response).toMatchObject({ status: 400, connection: 'close', json: { 'invalid-params': { avatarfile: {} } } })
})

it.each([true, false])('no file takes of upload.keep_free (Content-Length: %s)', async announced => {
  config.upload.keep_free = Number.MAX_SAFE_INTEGER
  const upload = openPicture(100_000, announced)
  await upload.send(1000)
  expect(await upload.response).toMatchObject({ status: 507, json: { code: 'insufficient_storage' } })
  expect(await isEmpty()).toBe(true)
})

it('a request that goes silent is ended with 408, one that only is slow is not', async () => {
  config.upload.idle_timeout = 400
  const [silent, slow] = [openPicture(100_000), openPicture(100_000)]
  void silent.send(1000)
  for (let count = 0; count < 10; count++) {
    await slow.send(10_000)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  slow.finish()
  expect(await silent.response).toMatchObject({ status: 408, connection: 'close', json: { code: 'upload_stalled' } })
  // Whole, but no image.
  expect((await slow.response).status).toBe(400)
})

it('a connection that was answered early and goes on sending is closed after a bounded number of bytes', async () => {
  const upload = openUpload(site.url, { channelId: 1 }, 10 ** 12)
  expect(await upload.response).toMatchObject({ status: 401, connection: 'close' })
  // Ends, as sending is not possible any more.
  await upload.send(10 ** 9)
})
