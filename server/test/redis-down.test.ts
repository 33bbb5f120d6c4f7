import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from './instance.ts'
import { uploadVideo } from './upload.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({ redis: { socket: '/nonexistent/redis.sock' }, jobs: { retry_start: '200 ms' } })
})
afterAll(async () => await site?.stop())

it('without Redis the site still answers, accepts logins and uploads, and loses none of them', async () => {
  expect((await site.call('GET /videos')).status).toBe(200)
  const alice = await site.user('alice')
  const { uuid } = await uploadVideo(site, alice)
  expect((await site.call(`GET /videos/${uuid}`)).json.state.id).toBe(2)
  expect((await site.call(`GET /videos/${uuid}/transcoding`, { token: alice.token })).json).toMatchObject({
    state: 'waiting',
    playable: false
  })
  expect((await site.call('GET /config')).status).toBe(200)
})
