import pMap from 'p-map'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { pretendOutage, runRepairJobs, waitUntilFederationIsIdle } from './repair.ts'
import { startRecordedPeerTube, type RecordedDelivery, type RecordedPeerTube } from './recorded-peertube.ts'
import { seedVideo } from './seed-video.ts'

/** A video of the receiver that the recorded PeerTube commented. */
const LOCAL_VIDEO = '5a3f0a64-6a6a-4f6f-9d52-0d6d4e6f1c11'
/** With ALL_DELIVERIES each of them is lost alone, once; else the last of each kind that is read again, a third of them in each history. */
const ALL = process.env.ALL_DELIVERIES === 'true'

let site: TestInstance
let alice: { token: string; channelId: number }
let copies = 0
beforeAll(async () => {
  site = await startTestInstance({
    federation: { inbox: { per_host: { max: 100_000 } }, fetch: { per_host: { max: 100_000 } }, crawl: { interval: '1 hour' } },
    internals: { inbox: { viewsInterval: 100, checkInterval: 300, refreshDelay: 100, retryDelay: 100 } }
  })
  alice = await site.user('alice')
  await site.call('POST /video-channels', { token: alice.token, body: { name: 'second', displayName: 'Second' } })
})
afterAll(async () => await site?.stop())

const kindOf = ({ body }: RecordedDelivery) => {
  const { type, object } = body
  if (typeof object === 'object') return `${type}(${object.type})`
  return `${type}(${/\/comments\//.test(object) ? 'Note' : /\/video-playlists\//.test(object) ? 'Playlist' : /\/videos\//.test(object) ? 'Video' : ''})`
}

const unreadComments = sql`SELECT 'comments of ' || url FROM videos
  WHERE remote AND gone_at IS NULL AND collections->>'comments' IS NOT NULL AND comments_read_at IS NULL`

type Order = (deliveries: RecordedDelivery[]) => RecordedDelivery[]
type State = Record<string, { url?: string }[]>

/** Has a copy of the recorded PeerTube deliver in each of the orders, repairs, and returns the state of everything that they told us. */
async function statesAfter(orders: Order[]): Promise<State[]> {
  const told = await pMap(
    orders,
    async order => {
      const copy = await startRecordedPeerTube(++copies, site.url)
      const { id } = await seedVideo({ channelId: alice.channelId })
      const uuid = copy.uuid(LOCAL_VIDEO)
      await runQuery(sql`UPDATE videos SET uuid = ${uuid}, url = ${`${site.url}/videos/watch/${uuid}`} WHERE id = ${id}`)
      return { copy, order, id }
    },
    { concurrency: 3 }
  )
  try {
    await pMap(
      told,
      async ({ copy, order }) => {
        await follow(copy)
        for (const delivery of order(copy.deliveries))
          expect([delivery.name, await copy.send(delivery, followOf(copy, delivery))]).toEqual([delivery.name, 202])
      },
      { concurrency: 3 }
    )
    await waitUntilFederationIsIdle([unreadComments])
    for (let round = 0; round < 2; round++) {
      await pretendOutage()
      await runRepairJobs()
      await waitUntilFederationIsIdle([unreadComments])
    }
    return await Promise.all(
      told.map(async ({ copy, id }) => JSON.parse(copy.normalize(JSON.stringify(await readState(copy.peer.host, id)), site.url)) as State)
    )
  } finally {
    await Promise.all(told.map(async ({ copy }) => await copy.stop()))
  }
}

/** Alice follows the channel and the account, the instance follows the instance. */
async function follow({ peer, actors }: RecordedPeerTube): Promise<void> {
  const root = await site.login()
  for (const name of ['second_channel', 'user1'])
    await site.call('POST /users/me/subscriptions', { token: alice.token, body: { uri: `${name}@${peer.host}` } })
  await site.call('POST /server/following', { token: root, body: { hosts: [peer.host] } })
  const asked = () => new Set(peer.received.filter(({ activity }) => activity.type === 'Follow').map(({ activity }) => activity.object))
  await eventually(async () => asked().size === 3, 20, `the Follows of ${actors.length} actors`)
}

/** Our own Follow in place of the recorded one that is answered. */
function followOf({ peer }: RecordedPeerTube, { body }: RecordedDelivery): object | undefined {
  if (body.type !== 'Accept' && body.type !== 'Reject') return undefined
  return peer.received.find(({ activity }) => activity.type === 'Follow' && activity.object === body.actor)?.activity
}

async function readState(host: string, localVideoId: number): Promise<object> {
  const from = `http://${host}/%`
  return {
    videos: await runQuery(sql`
      SELECT v.url, v.name, v.privacy, v.description, v.comments_policy, v.nsfw, actors.url AS channel,
        ARRAY(SELECT language FROM video_captions WHERE video_id = v.id ORDER BY 1) AS captions,
        ARRAY(SELECT url FROM remote_files WHERE video_id = v.id ORDER BY 1) AS files
      FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ON actors.id = c.actor_id
      WHERE v.url LIKE ${from} AND gone_at IS NULL ORDER BY 1`),
    comments: await runQuery(
      sql`SELECT url, text FROM comments WHERE url LIKE ${from} AND deleted_at IS NULL AND video_id <> ${localVideoId} ORDER BY url`
    ),
    commentsHere: await runQuery(sql`SELECT url, text FROM comments WHERE deleted_at IS NULL AND video_id = ${localVideoId}`),
    playlists: await runQuery(sql`SELECT url, name, description, privacy FROM playlists WHERE url LIKE ${from} ORDER BY url`),
    actors: await runQuery(sql`
      SELECT url, coalesce(a.name, c.name) AS name, coalesce(a.description, c.description) AS description FROM actors
        LEFT JOIN accounts a ON a.actor_id = actors.id LEFT JOIN channels c ON c.actor_id = actors.id
      WHERE url LIKE ${from} AND url NOT LIKE '%root%' ORDER BY url`),
    follows: await runQuery(sql`
      SELECT mine.url AS actor, target.url AS target, state FROM follows f JOIN actors mine ON mine.id = f.actor_id
        JOIN actors target ON target.id = f.target_id WHERE ${from} IN (mine.url, target.url) OR mine.url LIKE ${from}
        OR target.url LIKE ${from} ORDER BY 1, 2`),
    reactions: await runQuery(sql`SELECT url, type FROM reactions WHERE video_id = ${localVideoId}`),
    reports: await runQuery(sql`
      SELECT reason FROM abuses JOIN accounts ON accounts.id = abuses.reporter_id JOIN actors ON actors.id = accounts.actor_id
      WHERE actors.url LIKE ${from} ORDER BY 1`)
  }
}

let friendly: State
beforeAll(async () => {
  ;[friendly] = (await statesAfter([all => all])) as [State]
})

it('the order in which they were sent leaves what the origin has', () => {
  const lengths = Object.fromEntries(Object.entries(friendly).map(([name, rows]) => [name, rows.length]))
  expect(lengths).toEqual({ videos: 7, comments: 3, commentsHere: 1, playlists: 1, actors: 3, follows: 3, reactions: 1, reports: 2 })
})

it('all of them twice, byte for byte, and in reverse end in the same, but for the answers to a Follow, of which the last one counts', async () => {
  const [twice, reverse] = (await statesAfter([all => [...all, ...all], all => all.toReversed()])) as [State, State]
  expect(twice).toEqual(friendly)
  const rejected = friendly.follows!.map(row => ('state' in row && row.state === 'rejected' ? { ...row, state: 'accepted' } : row))
  expect(reverse).toEqual({ ...friendly, follows: rejected })
})

/** What PeerTube lists nowhere is as the origin left it only if its delivery arrives (docs/federation.md#repair). */
const NOT_READ_AGAIN: [kind: RegExp, state: string][] = [
  [/^(Accept|Reject|Follow|Undo\(Follow\))/, 'follows'],
  [/^(Like|Dislike|Undo\((Like|Dislike)\))/, 'reactions'],
  [/^Create\(Note\)/, 'commentsHere'],
  [/^Flag/, 'reports']
]

const isReadAgain = (kind: string) => /^(Create|Update|Delete)\(/.test(kind)

it('without some of them, after repair, they end in the same', { timeout: 3_600_000 }, async () => {
  const copy = await startRecordedPeerTube(0, site.url)
  await copy.stop()
  const kinds = copy.deliveries.map(kindOf)
  const lastOfKinds = kinds.flatMap((kind, index) => (isReadAgain(kind) && kinds.lastIndexOf(kind) === index ? [index] : []))
  expect(lastOfKinds.length).toBeGreaterThanOrEqual(8)
  const losses = ALL ? kinds.map((_, index) => [index]) : [0, 1, 2].map(group => lastOfKinds.filter((_, place) => place % 3 === group))
  for (let start = 0; start < losses.length; start += 30) {
    const some = losses.slice(start, start + 30)
    const states = await statesAfter(some.map(lost => all => all.filter((_, index) => !lost.includes(index))))
    for (const [position, lost] of some.entries()) {
      const names = lost.map(index => `${copy.deliveries[index]!.name} ${kinds[index]}`)
      const forgotten = NOT_READ_AGAIN.filter(([kind]) => lost.some(index => kind.test(kinds[index]!))).map(([, part]) => [
        part,
        friendly[part]
      ])
      expect([names, { ...states[position], ...Object.fromEntries(forgotten) }]).toEqual([names, friendly])
    }
  }
})
