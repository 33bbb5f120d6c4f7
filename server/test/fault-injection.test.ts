import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  dumpFederationTables,
  SHORT_INTERVALS,
  runFaultSchedule,
  waitForFederationIdle,
  readVisibleVideos,
  type PairedInstance,
  type InstancePair
} from './fault-injection.ts'
import { eventually } from './instance.ts'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'
import { waitForTranscoding, uploadVideo } from './upload.ts'

/** The number of schedules and the first seed; `scripts/soak faults` runs more. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 6)
const FIRST_SEED = Number(process.env.SEED ?? 1)

let pair: InstancePair
beforeAll(async () => {
  const peers = await Promise.all([
    startPeerInstance(SHORT_INTERVALS, ['web', 'worker']),
    startPeerInstance(SHORT_INTERVALS, ['web', 'worker'])
  ])
  pair = { sides: (await Promise.all(peers.map(createUserWithVideos))) as [PairedInstance, PairedInstance] }
  for (const [one, other] of [
    [0, 1],
    [1, 0]
  ] as const)
    await followInstance(peers[one]!, peers[other]!)
  await waitForFederationIdle(pair)
}, 180_000)
afterAll(async () => {
  for (const { peer } of pair?.sides ?? []) await peer.stop()
})

async function createUserWithVideos(peer: PeerInstance): Promise<PairedInstance> {
  const user = await peer.user(peer.host.endsWith('1') ? 'ada' : 'grace')
  const videos: string[] = []
  for (const name of ['First', 'Second']) {
    const { uuid } = await uploadVideo(peer, user, { name })
    await waitForTranscoding(peer, user, uuid)
    videos.push(uuid)
  }
  return { peer, token: user.token, channelId: user.channelId, videos }
}

async function followInstance(peer: PeerInstance, other: PeerInstance): Promise<void> {
  const token = await peer.login()
  expect((await peer.call('POST /server/following', { token, body: { hosts: [other.host] } })).status).toBe(204)
  await eventually(
    async () => (await peer.call('GET /server/following')).json.data.some((one: { state: string }) => one.state === 'accepted'),
    30,
    'the follow'
  )
  // What was published before the follow is read from the outbox.
  await eventually(async () => Object.keys(await readVisibleVideos(peer, other.host)).length === 2, 60, 'the earlier videos')
}

const seeds = Array.from({ length: SCHEDULES }, (_, index) => FIRST_SEED + index)
test.each(seeds)('schedule %i: after any faults both instances show the same', { timeout: 120_000 }, async seed => {
  const log = await runFaultSchedule(pair, seed)
  await waitForFederationIdle(pair)
  const [a, b] = pair.sides
  for (const [origin, other] of [
    [a, b],
    [b, a]
  ] as const) {
    const expected = await readVisibleVideos(origin.peer, origin.peer.host)
    try {
      await expect
        .poll(async () => await readVisibleVideos(other.peer, origin.peer.host), { timeout: 60_000, message: log.join('\n') })
        .toEqual(expected)
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await dumpFederationTables(pair)}`, { cause: error })
    }
  }
})
