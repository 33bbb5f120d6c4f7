import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { seedVideo } from './seed-video.ts'

type Json = { [key: string]: unknown }
let site: TestInstance
let peer: HostilePeer
let owner: Awaited<ReturnType<TestInstance['user']>>
let root: string
let bob: HostileActor
let eve: HostileActor
let video: { id: number; uuid: string; url: string }
beforeAll(async () => {
  ;[site, peer] = await Promise.all([
    startTestInstance({
      internals: { inbox: { checkInterval: 50, retryDelay: 20, attempts: 100 }, outbox: { checkInterval: 50 } }
    }),
    startHostilePeer()
  ])
  owner = await site.user('owner')
  root = await site.login()
  ;[bob, eve] = [await peer.actor('bob'), await peer.actor('eve')]
  await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: eve.url, object: `${site.url}/accounts/owner` })
  await isQuiet()
}, 60_000)
afterAll(async () => await Promise.all([site, peer].map(async one => await one?.stop())))
beforeEach(async () => {
  const { id, uuid } = await seedVideo({ channelId: owner.channelId })
  video = { id, uuid, url: `${site.url}/videos/watch/${uuid}` }
  await runQuery(sql`UPDATE videos SET url = ${video.url} WHERE id = ${id}`)
})

const isQuiet = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')
let seconds = 0
/** Each with the date of another second: signatures of one second are the same. */
const send = async (activity: Json) => {
  const date = new Date(Date.now() - 600_000 + 1000 * seconds++)
  const signed = { id: peer.id(), actor: bob.url, ...activity } as never
  expect((await peer.post(`${site.url}/inbox`, signed, { date })).status).toBe(202)
  await isQuiet()
}
const ratings = async () => {
  const { likes, dislikes } = (await site.call(`GET /videos/${video.uuid}`)).json
  return [likes, dislikes]
}
const undoOf = (activity: { id: string; actor: string }) => ({
  type: 'Undo',
  id: `${activity.id}/undo`,
  actor: activity.actor,
  object: activity
})
const channel = () => `${site.url}/video-channels/owner_channel`
const isFollowed = async (by = bob) =>
  (
    await runQuery(sql`SELECT 1 FROM follows JOIN actors follower ON follower.id = actor_id JOIN actors target ON target.id = target_id
      WHERE follower.url = ${by.url} AND target.url = ${channel()}`)
  ).length > 0

/** What is done again under one id, as PeerTube does, and whether it counts. */
const repeated: [string, () => { type: string; id: string; object: string }, (id: string) => Promise<boolean>][] = [
  ['Like', () => ({ type: 'Like', id: `${bob.url}/likes/${video.id}`, object: video.url }), async () => (await ratings())[0] === 1],
  [
    'Dislike',
    () => ({ type: 'Dislike', id: `${bob.url}/dislikes/${video.id}`, object: video.url }),
    async () => (await ratings())[1] === 1
  ],
  ['Follow', () => ({ type: 'Follow', id: `${bob.url}/follows/${video.id}`, object: channel() }), async () => await isFollowed()],
  [
    'Announce',
    () => ({ type: 'Announce', id: `${bob.url}/announces/${video.id}`, object: video.url }),
    async id => (await runQuery(sql`SELECT 1 FROM video_shares WHERE url = ${id}`)).length > 0
  ]
]

test.each(repeated)('%s counts again after an Undo that was delivered twice', async (_type, make, counts) => {
  const act = { ...make(), actor: bob.url }
  await send(act)
  for (const undo of [undoOf(act), undoOf(act), { type: 'Undo', object: act.id }]) {
    await send(undo)
    expect(await counts(act.id)).toBe(false)
  }
  await send(act)
  expect(await counts(act.id)).toBe(true)
  await send(undoOf(act))
  expect(await counts(act.id)).toBe(false)
})

test.each(repeated)('an Undo that overtakes its %s takes it back once, and only for a time', async (_type, make, counts) => {
  const act = { ...make(), actor: bob.url }
  await send(undoOf(act))
  await send(undoOf(act))
  await send(act)
  expect(await counts(act.id), 'overtaken').toBe(false)
  await send(act)
  expect(await counts(act.id), 'done again').toBe(true)
  const lost = { ...act, id: `${act.id}/lost` }
  await send(undoOf(act))
  await send(undoOf(lost))
  await runQuery(sql`UPDATE tombstones SET created_at = created_at - interval '2 days' WHERE url LIKE 'undone %'`)
  await send(lost)
  expect(await counts(lost.id), 'done two days later').toBe(true)
  await send(undoOf(lost))
})

test('what comes in reverse order under one id ends as it began', async () => {
  const act = { type: 'Like', id: `${bob.url}/likes/${video.id}`, actor: bob.url, object: video.url }
  for (const one of [undoOf(act), act, undoOf(act), act]) await send(one)
  expect(await ratings()).toEqual([0, 0])
})

test('what was published after its early Undo arrived is new', async () => {
  const like = { type: 'Like', id: `${bob.url}/likes/${video.id}`, actor: bob.url, object: video.url }
  await send(undoOf(like))
  await send({ ...like, published: new Date(Date.now() + 1000).toISOString() })
  expect(await ratings()).toEqual([1, 0])
})

test('another actor of the host takes back nothing that somebody has yet to do', async () => {
  const like = { type: 'Like', id: peer.id('likes'), actor: bob.url, object: video.url }
  await send({ type: 'Undo', actor: eve.url, object: like.id })
  await send(undoOf({ ...like, actor: eve.url }))
  await send(like)
  expect(await ratings()).toEqual([1, 0])
  const follow = { type: 'Follow', id: peer.id('follows'), actor: bob.url, object: channel() }
  await send({ type: 'Undo', actor: eve.url, object: { ...follow, actor: eve.url } })
  await send(follow)
  expect(await isFollowed()).toBe(true)
  await send(undoOf(follow))
})

test('a late Undo of an earlier Like or Follow leaves the present one', async () => {
  for (const [type, object] of [
    ['Like', video.url],
    ['Dislike', video.url],
    ['Follow', channel()]
  ] as const) {
    const [first, second] = [1, 2].map(() => ({ type, id: peer.id(), actor: bob.url, object }))
    const counts = async () => (type === 'Follow' ? await isFollowed() : (await ratings())[type === 'Like' ? 0 : 1] === 1)
    await send(first!)
    await send(second!)
    for (const late of [undoOf(first!), undoOf(first!), { type: 'Undo', object: first!.id }]) await send(late)
    expect(await counts(), type).toBe(true)
    await send(undoOf(second!))
    expect(await counts(), type).toBe(false)
  }
})

test('an Undo of what was never seen under that id, or has none, is found by what it is about', async () => {
  // Lemmy makes a new id for what it undoes.
  for (const named of [{ id: peer.id() }, {}]) {
    for (const type of ['Like', 'Dislike']) {
      await send({ type, object: video.url })
      await send({ type: 'Undo', object: { ...named, type: type === 'Like' ? 'Dislike' : 'Like', actor: bob.url, object: video.url } })
      expect((await ratings())[type === 'Like' ? 0 : 1], 'an Undo of the other type').toBe(1)
      await send({ type: 'Undo', object: { ...named, type, actor: bob.url, object: video.url } })
      expect(await ratings()).toEqual([0, 0])
    }
    await send({ type: 'Follow', object: channel() })
    await send({ type: 'Undo', object: { ...named, type: 'Follow', actor: bob.url, object: channel() } })
    expect(await isFollowed()).toBe(false)
  }
})

test('an id written in another form is the same id', async () => {
  const id = peer.id('likes')
  await send({ type: 'Like', id, object: video.url })
  await send({
    type: 'Undo',
    object: { type: 'Like', id: id.replace('http', 'HTTP').replace('/likes', '/./likes'), actor: bob.url, object: video.url }
  })
  expect(await ratings()).toEqual([0, 0])
})

test.each(['❤️', '🦊'])('a Like stays when a reaction with %s of the same account is undone', async content => {
  const like = { type: 'Like', id: peer.id(), actor: bob.url, object: video.url }
  const reaction = { type: 'EmojiReact', id: peer.id(), actor: bob.url, object: video.url, content }
  for (const order of [
    [like, reaction],
    [reaction, like]
  ]) {
    for (const act of order) await send(act)
    await send(undoOf(reaction))
    expect(await ratings()).toEqual([1, 0])
    await send(undoOf(like))
    expect(await ratings()).toEqual([0, 0])
  }
})

test('what its author took back is not processed again, however often an administrator tries', async () => {
  await runQuery(sql`UPDATE videos SET privacy = 3 WHERE id = ${video.id}`)
  const like = { type: 'Like', id: peer.id('likes'), actor: bob.url, object: video.url }
  await send(like)
  await send(undoOf(like))
  await runQuery(sql`UPDATE videos SET privacy = 1 WHERE id = ${video.id}`)
  for (let round = 0; round < 3; round++) {
    const { data } = (await site.call(`GET /server/ineffective-activities?host=${peer.host}`, { token: root })).json
    const { id } = data.find((entry: Json) => entry.activityId === like.id)
    expect((await site.call(`POST /server/ineffective-activities/${id}/process`, { token: root })).status).toBe(204)
    await isQuiet()
    expect(await ratings(), `round ${round}`).toEqual([0, 0])
  }
  await send(like)
  expect(await ratings(), 'liked again').toEqual([1, 0])
})

test.each<[string, (like: Json) => unknown]>([
  ['its id', ({ id }) => id],
  ['a Like without object', like => ({ ...like, object: undefined })],
  ['a Like of an address of another form', like => ({ ...like, object: `${site.url}/w/${video.uuid}` })]
])('a Like and its Undo by %s that arrive at the same time are no like', async (_form, reference) => {
  for (let n = 0; n < 30; n++) {
    const like = { type: 'Like', id: peer.id('likes'), actor: bob.url, object: video.url }
    await Promise.all(
      [like, { type: 'Undo', id: peer.id(), actor: bob.url, object: reference(like) }].map(
        async one => await peer.post(`${site.url}/inbox`, one as never)
      )
    )
  }
  await isQuiet()
  expect(await ratings()).toEqual([0, 0])
})
