import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { seedVideo } from './seed-video.ts'

let site: TestInstance
let peer: HostilePeer
let bob: HostileActor
let eve: HostileActor
let video: string
beforeAll(async () => {
  ;[site, peer] = await Promise.all([
    startTestInstance({
      remote_redundancy: { videos: { accept_from: 'anybody' } },
      internals: { inbox: { checkInterval: 50, retryDelay: 20, attempts: 100 } }
    }),
    startHostilePeer()
  ])
  const { uuid } = await seedVideo({ channelId: (await site.user('ada')).channelId })
  video = `${site.url}/videos/watch/${uuid}`
  await runQuery(sql`UPDATE videos SET url = ${video}`)
  bob = await peer.actor('bob')
  eve = await peer.actor('eve')
})
afterAll(async () => await Promise.all([site, peer].map(async one => await one?.stop())))

type Sent = { id: string; type: string; actor: string; object: unknown }
const act = (type: string, object: unknown, actor = bob): Sent => ({ id: peer.id(), type, actor: actor.url, object })
const send = async (activity: Sent) => expect((await peer.post(`${site.url}/inbox`, activity)).status).toBeLessThan(300)
const outcome = async ({ id }: Sent) =>
  await eventually(
    async () =>
      (
        await runQuery<{ outcome: string }>(sql`
          SELECT outcome FROM incoming WHERE done_at IS NOT NULL AND starts_with(activity_id, ${id}) ORDER BY id DESC LIMIT 1`)
      )[0]?.outcome,
    10,
    `the outcome of ${id}`
  )
const deliver = async (activity: Sent) => {
  await send(activity)
  return await outcome(activity)
}
const exists = async (query: Sql) => (await runQuery(query)).length > 0
const copy = () => {
  const url = `${peer.url}/redundancy/streaming-playlists/hls/${peer.id().split('/').at(-1)}`
  return {
    id: url,
    type: 'CacheFile',
    object: video,
    url: { type: 'Link', mediaType: 'application/x-mpegURL', href: `${url}/master.m3u8` }
  }
}

/** What an actor can do here, and where it is seen. */
const acts: [string, () => Sent, (act: Sent) => Sql][] = [
  ['Follow', () => act('Follow', `${site.url}/accounts/ada`), ({ id }) => sql`SELECT 1 FROM follows WHERE url = ${id}`],
  ['Like', () => act('Like', video), ({ id }) => sql`SELECT 1 FROM reactions WHERE url = ${id}`],
  ['Dislike', () => act('Dislike', video), ({ id }) => sql`SELECT 1 FROM reactions WHERE url = ${id}`],
  ['Announce', () => act('Announce', video), ({ id }) => sql`SELECT 1 FROM video_shares WHERE url = ${id}`],
  [
    'Create(CacheFile)',
    () => {
      const object = copy()
      return { ...act('Create', object), id: `${object.id}/activity` }
    },
    ({ object }) => sql`SELECT 1 FROM redundancies WHERE url = ${(object as { id: string }).id}`
  ]
]

test.each(acts)('%s is undone and deleted by its id, by nobody else', async (_name, make, query) => {
  const references: [string, (id: string) => unknown][] = [
    ['Undo', id => id],
    ['Undo', id => [id]],
    ['Undo', id => ({ id })],
    ['Delete', id => id]
  ]
  for (const [type, reference] of references) {
    const done = make()
    expect(await deliver(done)).toBe('done')
    expect(await exists(query(done))).toBe(true)
    await deliver(act(type, reference(done.id), eve))
    expect(await exists(query(done)), `${type} by somebody else`).toBe(true)
    expect(await deliver(act(type, reference(done.id)))).toBe('done')
    expect(await exists(query(done)), type).toBe(false)
  }
})

test('an Undo by id that arrives first, or while what it undoes waits, has its effect', async () => {
  await deliver(act('Follow', `${site.url}/accounts/ada`))
  for (const [name, make, query] of acts.slice(0, 4)) {
    const late = name === 'Follow' ? act('Follow', `${site.url}/video-channels/ada_channel`) : make()
    await deliver(act('Undo', late.id))
    expect(await deliver(late), name).toBe('dropped: it was taken back')
    expect(await exists(query(late)), name).toBe(false)
  }
  const like = act('Like', video)
  await runQuery(sql`
    INSERT INTO incoming (activity_id, digest, type, actor, signer, proof, host, subject, lane, body, not_before)
    VALUES (${`${like.id} x`}, '', 'Like', ${bob.url}, ${bob.url}, 'http', ${peer.host}, 'one', 0, ${JSON.stringify(like)}, 'infinity')`)
  const undo = act('Undo', like.id)
  await send(undo)
  await eventually(
    async () => await exists(sql`SELECT 1 FROM incoming WHERE starts_with(activity_id, ${undo.id}) AND attempts > 1 AND done_at IS NULL`),
    10,
    'the second try'
  )
  await runQuery(sql`UPDATE incoming SET not_before = now() WHERE done_at IS NULL`)
  expect(await outcome(like)).toBe('done')
  expect(await outcome(undo)).toBe('done')
  expect(await exists(sql`SELECT 1 FROM reactions WHERE url = ${like.id}`)).toBe(false)
})

test('Accept and Reject name our Follow, or who asked, by its id only', async () => {
  const target = await peer.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: bob.url }] })
  const token = await site.login('ada', 'password1')
  await site.call('POST /users/me/subscriptions', { token, body: { uri: `films@${peer.host}` } })
  const follow = await eventually(
    async () =>
      (
        await runQuery<{ url: string; follower: string }>(sql`
          SELECT follows.url, actors.url AS follower FROM follows JOIN actors ON actors.id = follows.actor_id
          JOIN actors target ON target.id = follows.target_id WHERE target.url = ${target.url}`)
      )[0],
    10,
    'the Follow'
  )
  const state = async () => (await runQuery<{ state: string }>(sql`SELECT state FROM follows WHERE url = ${follow.url}`))[0]!.state
  for (const reference of [follow.url, { id: follow.url }, follow.follower]) {
    for (const [type, expected] of [
      ['Accept', 'accepted'],
      ['Reject', 'rejected']
    ] as const) {
      const before = await state()
      await deliver(act(type, reference, eve))
      expect(await state(), `${type} by somebody else`).toBe(before)
      expect(await deliver(act(type, reference, target))).toBe('done')
      expect(await state()).toBe(expected)
    }
  }
})
