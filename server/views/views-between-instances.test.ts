import { afterAll, beforeAll, expect, it } from 'vitest'
import { redis } from '../core/redis.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startPeerInstance, type PeerInstance } from '../test/peer-instance.ts'
import { uploadVideo } from '../test/upload.ts'
import { viewsRedisKey } from './watch-sessions.ts'

/** A publishes; people watch on B, in processes of its own, which follows A. */
let a: TestInstance
let b: PeerInstance
let uuid: string
const FAST = {
  transcoding: { enabled: false },
  cache: { answers: { max_age: 50 } },
  views: { videos: { local_buffer_update_interval: 200, viewer_expiration: 3000 } },
  federation: {
    inbox: { views_interval: 50, check_interval: 500 },
    outbox: { check_interval: 200, retry_delay: 200, breaker: { failures: 1000 } },
    videos: { counters_interval: 300, viewers_interval: 500 }
  }
}

beforeAll(async () => {
  ;[a, b] = await Promise.all([startTestInstance(FAST), startPeerInstance(FAST)])
  const alice = await a.user('alice')
  expect((await b.call('POST /server/following', { token: await b.login(), body: { hosts: [new URL(a.url).host] } })).status).toBe(204)
  await eventually(
    async () => (await b.call('GET /server/following')).json.data.some((one: any) => one.state === 'accepted'),
    30,
    'the follow'
  )
  uuid = (await uploadVideo(a, alice, { name: 'Watched' })).uuid
  await eventually(async () => (await b.call(`GET /videos/${uuid}`)).status === 200, 30, 'the video on B')
}, 120_000)
afterAll(async () => {
  await b?.stop()
  await a?.stop()
})

const shown = async (on: Pick<TestInstance, 'call'>) => {
  const { views, viewers } = (await on.call(`GET /videos/${uuid}`)).json
  return [views, viewers]
}
const watch = async (on: Pick<TestInstance, 'call'>, sessionId: string) => {
  for (const currentTime of [0, 2])
    expect((await on.call(`POST /videos/${uuid}/views`, { body: { currentTime, sessionId } })).status).toBe(204)
}

it('who watches on B is counted on A, and both say the same', async () => {
  await Promise.all([watch(a, 'on-a'), watch(b, 'one'), watch(b, 'two')])
  const said = [0, 0, 0, 0]
  await eventually(
    async () => {
      // They stay.
      await Promise.all(
        [
          [a, 'on-a'],
          [b, 'one'],
          [b, 'two']
        ].map(async ([on, session]) => await watch(on as PeerInstance, session as string))
      )
      const [[viewsA, viewersA], [viewsB, viewersB]] = await Promise.all([shown(a), shown(b)])
      for (const [place, value] of [viewsA, viewsB, viewersA, viewersB].entries()) said[place] = Math.max(said[place]!, value)
      return viewsA === 3 && viewsB === 3 && said[2]! >= 3 && said[3]! >= 3
    },
    20,
    'three views and viewers on both sides'
  ).catch(error => {
    throw new Error(`${error.message}: ${said}`)
  })
  expect(said).toEqual([3, 3, 3, 3])
  await eventually(async () => (await shown(a))[1] === 0 && (await shown(b))[1] === 0, 20, 'their end')
}, 60_000)

it('a view is counted once, whatever dies meanwhile', async () => {
  await watch(b, 'three')
  await b.kill()
  await b.start()
  await watch(b, 'three')
  await eventually(async () => (await shown(a))[0] === 4, 20, 'the view on A')
  // Everything in Redis is gone on both sides, and the same people go on watching.
  for (const name of await redis.keys(`${b.database}:*`)) await redis.del(name)
  for (const name of await redis.keys(viewsRedisKey('*'))) await redis.del(name)
  await Promise.all([watch(b, 'three'), watch(b, 'one'), watch(a, 'on-a')])
  await b.kill()
  await b.start()
  await watch(b, 'four')
  await eventually(async () => (await shown(a))[0] === 5 && (await shown(b))[0] === 5, 30, 'one view more')
  await new Promise(resolve => setTimeout(resolve, 1000))
  expect([(await shown(a))[0], (await shown(b))[0]]).toEqual([5, 5])
}, 90_000)
