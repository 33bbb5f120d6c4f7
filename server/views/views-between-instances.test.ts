import { afterAll, beforeAll, expect, it } from 'vitest'
import { redis } from '../core/redis.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startPeerInstance, type PeerInstance } from '../test/peer-instance.ts'
import { uploadVideo } from '../test/upload.ts'
import { viewsRedisKey } from './watch-sessions.ts'

/** A publishes the video. B, which runs in processes of its own, follows A. */
let a: TestInstance
let b: PeerInstance
let uuid: string
const FAST_INTERVALS = {
  transcoding: { enabled: false },
  cache: { answers: { max_age: 50 } },
  views: { videos: { local_buffer_update_interval: 200, viewer_expiration: 3000 } },
  internals: {
    inbox: { viewsInterval: 50, checkInterval: 500 },
    outbox: { checkInterval: 200, retryDelay: 200, breaker: { failures: 1000 } },
    videos: { countersInterval: 300, viewersInterval: 500 }
  }
}

beforeAll(async () => {
  ;[a, b] = await Promise.all([startTestInstance(FAST_INTERVALS), startPeerInstance(FAST_INTERVALS)])
  const alice = await a.user('alice')
  expect((await b.call('POST /server/following', { token: await b.login(), body: { hosts: [new URL(a.url).host] } })).status).toBe(204)
  await eventually(
    async () => (await b.call('GET /server/following')).json.data.some((follow: any) => follow.state === 'accepted'),
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

const viewsAndViewers = async (on: Pick<TestInstance, 'call'>) => {
  const { views, viewers } = (await on.call(`GET /videos/${uuid}`)).json
  return [views, viewers]
}
const watch = async (on: Pick<TestInstance, 'call'>, sessionId: string) => {
  for (const currentTime of [0, 2])
    expect((await on.call(`POST /videos/${uuid}/views`, { body: { currentTime, sessionId } })).status).toBe(204)
}

it('views and viewers on B are counted on A, and both instances show the same numbers', async () => {
  await Promise.all([watch(a, 'on-a'), watch(b, 'one'), watch(b, 'two')])
  const maxima = [0, 0, 0, 0]
  await eventually(
    async () => {
      // The viewers go on watching.
      await Promise.all(
        [
          [a, 'on-a'],
          [b, 'one'],
          [b, 'two']
        ].map(async ([on, session]) => await watch(on as PeerInstance, session as string))
      )
      const [[viewsA, viewersA], [viewsB, viewersB]] = await Promise.all([viewsAndViewers(a), viewsAndViewers(b)])
      for (const [index, value] of [viewsA, viewsB, viewersA, viewersB].entries()) maxima[index] = Math.max(maxima[index]!, value)
      return viewsA === 3 && viewsB === 3 && maxima[2]! >= 3 && maxima[3]! >= 3
    },
    20,
    'three views and viewers on both sides'
  ).catch(error => {
    throw new Error(`${error.message}: ${maxima}`)
  })
  expect(maxima).toEqual([3, 3, 3, 3])
  await eventually(async () => (await viewsAndViewers(a))[1] === 0 && (await viewsAndViewers(b))[1] === 0, 20, 'no viewers')
}, 60_000)

it('a view is counted once, even if processes are killed and Redis is wiped', async () => {
  await watch(b, 'three')
  await b.kill()
  await b.start()
  await watch(b, 'three')
  await eventually(async () => (await viewsAndViewers(a))[0] === 4, 20, 'the view on A')
  // Redis is wiped on both sides, and the same viewers go on watching.
  for (const key of await redis.keys(`${b.database}:*`)) await redis.del(key)
  for (const key of await redis.keys(viewsRedisKey('*'))) await redis.del(key)
  await Promise.all([watch(b, 'three'), watch(b, 'one'), watch(a, 'on-a')])
  await b.kill()
  await b.start()
  await watch(b, 'four')
  await eventually(async () => (await viewsAndViewers(a))[0] === 5 && (await viewsAndViewers(b))[0] === 5, 30, 'one more view')
  await new Promise(resolve => setTimeout(resolve, 1000))
  expect([(await viewsAndViewers(a))[0], (await viewsAndViewers(b))[0]]).toEqual([5, 5])
}, 90_000)
