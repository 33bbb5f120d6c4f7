import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { startHostilePeer, type HostilePeer, type HostileActor } from './hostile-peer.ts'
import { eventually } from './instance.ts'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'

let peer: PeerInstance
let sender: HostilePeer
let actors: HostileActor[]
let client: pg.Client
beforeAll(async () => {
  ;[peer, sender] = await Promise.all([
    startPeerInstance(
      {
        federation: { inbox: { per_host: { max: 1_000_000 } } },
        internals: { inbox: { lease: 1000, checkInterval: 300, retryDelay: 50 } }
      },
      ['web', 'worker']
    ),
    startHostilePeer()
  ])
  actors = await Promise.all([...Array(6).keys()].map(async number => await sender.actor(`person${number}`)))
  const { host, port, username } = inject('postgres')
  client = new pg.Client({ host, port, user: username, database: peer.database })
  await client.connect()
})
afterAll(async () => {
  await client?.end()
  await Promise.all([peer?.stop(), sender?.stop()])
})

/** Posts an activity until it is accepted with 202, as a sending server with unlimited retries does. */
async function postUntilAccepted(activity: object): Promise<void> {
  for (;;) {
    const answer = await sender.post(`${peer.url}/inbox`, activity as never).catch(() => null)
    if (answer?.status === 202) return
    await sleep(100)
  }
}

it('with web and worker killed while a thousand activities arrive, every accepted activity is processed exactly once', async () => {
  const follows = actors.map(actor => ({
    id: sender.id('follows'),
    type: 'Follow',
    actor: actor.url,
    object: `${peer.url}/accounts/peertube`
  }))
  const others = [...Array(1000).keys()].map(number => ({
    id: sender.id(),
    type: ['Like', 'Dislike', 'Whatever'][number % 3]!,
    actor: actors[number % 6]!.url,
    object: `${peer.url}/videos/watch/${number % 40}`
  }))
  const waiting: object[] = [...others.slice(0, 500), ...follows, ...others.slice(500)]
  const faults = (async () => {
    for (const part of ['worker', 'web', 'worker'] as const) {
      await sleep(500)
      await peer.kill(part)
      await peer.start()
    }
  })()
  await Promise.all(
    [...Array(10)].map(async () => {
      for (let activity = waiting.pop(); activity; activity = waiting.pop()) await postUntilAccepted(activity)
    })
  )
  await faults
  await eventually(async () => (await client.query('SELECT 1 FROM incoming WHERE done_at IS NULL LIMIT 1')).rowCount === 0, 90, 'the inbox')
  const { rows } = await client.query<{ id: string }>("SELECT DISTINCT split_part(activity_id, ' ', 1) AS id FROM incoming")
  expect(new Set(rows.map(row => row.id))).toEqual(new Set([...follows, ...others].map(one => one.id)))
  expect((await client.query("SELECT outcome FROM incoming WHERE outcome ~ '^(failed|given up)'")).rows).toEqual([])
  const { rows: followers } = await client.query<{ url: string }>(
    `SELECT actors.url FROM follows JOIN actors ON actors.id = follows.actor_id
      WHERE follows.state = 'accepted' AND actors.host IS NOT NULL`
  )
  expect(followers.map(row => row.url).sort()).toEqual(actors.map(actor => actor.url).sort())
  // Every follower received an Accept.
  await eventually(
    async () =>
      new Set(sender.received.filter(({ activity }) => activity?.type === 'Accept').map(({ activity }) => activity.object.id)).size === 6,
    20,
    'the Accepts'
  )
})
