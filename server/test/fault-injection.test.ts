import { afterAll, beforeAll, expect, test } from 'vitest'
import { evidence, HURRIED, play, quiet, sight, type Side, type World } from './fault-injection.ts'
import { eventually } from './instance.ts'
import { startPeer, type Peer } from './peer-instance.ts'
import { encoded, upload } from './upload.ts'

/** How many schedules, and the first seed; `scripts/soak faults` asks for more of them. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 16)
const FIRST = Number(process.env.SEED ?? 1)

let world: World
beforeAll(async () => {
  const peers = await Promise.all([startPeer(HURRIED, ['web', 'worker']), startPeer(HURRIED, ['web', 'worker'])])
  world = { sides: (await Promise.all(peers.map(furnish))) as [Side, Side] }
  for (const [one, other] of [
    [0, 1],
    [1, 0]
  ] as const)
    await follow(peers[one]!, peers[other]!)
  await quiet(world)
}, 180_000)
afterAll(async () => {
  for (const { peer } of world?.sides ?? []) await peer.stop()
})

async function furnish(peer: Peer): Promise<Side> {
  const user = await peer.user(peer.host.endsWith('1') ? 'ada' : 'grace')
  const videos: string[] = []
  for (const name of ['First', 'Second']) {
    const { uuid } = await upload(peer, user, { name })
    await encoded(peer, user, uuid)
    videos.push(uuid)
  }
  return { peer, token: user.token, channelId: user.channelId, videos }
}

async function follow(peer: Peer, other: Peer): Promise<void> {
  const token = await peer.login()
  expect((await peer.call('POST /server/following', { token, body: { hosts: [other.host] } })).status).toBe(204)
  await eventually(
    async () => (await peer.call('GET /server/following')).json.data.some((one: { state: string }) => one.state === 'accepted'),
    30,
    'the follow'
  )
  // What was published before the follow is read from the outbox.
  await eventually(async () => Object.keys(await sight(peer, other.host)).length === 2, 60, 'the videos of before')
}

const seeds = Array.from({ length: SCHEDULES }, (_, index) => FIRST + index)
test.each(seeds)('schedule %i: whatever fails, both sides end up with the same', { timeout: 120_000 }, async seed => {
  const log = await play(world, seed)
  await quiet(world)
  const [a, b] = world.sides
  for (const [origin, other] of [
    [a, b],
    [b, a]
  ] as const) {
    const expected = await sight(origin.peer, origin.peer.host)
    try {
      await expect
        .poll(async () => await sight(other.peer, origin.peer.host), { timeout: 60_000, message: log.join('\n') })
        .toEqual(expected)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await evidence(world)}`, { cause: error })
    }
  }
})
