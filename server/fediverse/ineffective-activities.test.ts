import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { sweepIneffectiveActivities } from './ineffective-activities.ts'
import { enqueueActivity } from './outbox.ts'

let site: TestInstance
let peer: HostilePeer
let otherPeer: HostilePeer
let bob: HostileActor
let eve: HostileActor
let root: string
let ada: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  ;[site, peer, otherPeer] = await Promise.all([
    startTestInstance({
      internals: {
        inbox: { checkInterval: 50, viewsInterval: 50, maxIneffective: 4, maxIneffectiveBody: 2000 },
        outbox: { checkInterval: 50, retryDelay: 10 }
      }
    }),
    startHostilePeer(),
    startHostilePeer()
  ])
  bob = await peer.actor('bob')
  eve = await otherPeer.actor('eve')
  root = await site.login()
  ada = await site.user('ada')
})
afterAll(async () => await Promise.all([site, peer, otherPeer].map(async one => await one?.stop())))

const list = async (query = '') => (await site.call(`GET /server/ineffective-activities${query}`, { token: root })).json
const send = async (activity: { id: string; type: string; actor: string; [key: string]: unknown }) => {
  const from = activity.actor === eve.url ? otherPeer : peer
  expect((await from.post(`${site.url}/inbox`, activity)).status).toBe(202)
  await eventually(
    async () =>
      (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NOT NULL AND starts_with(activity_id, ${activity.id})`)).length > 0,
    10,
    'the outcome'
  )
  return activity
}
const like = (object: string, actor = bob) => ({
  id: (actor === eve ? otherPeer : peer).id('likes'),
  type: 'Like',
  actor: actor.url,
  object,
  content: 'a secret'
})

test('what had no effect is listed with its reason, never its content, and only for administrators', async () => {
  const ignored = await send(like(`${site.url}/w/nothing`))
  const dropped = await send({ id: peer.id(), type: 'Create', actor: bob.url, object: { id: `${otherPeer.url}/1`, type: 'Note' } })
  await send({ id: peer.id(), type: 'View', actor: bob.url, object: `${site.url}/w/nothing` })
  await send({ id: peer.id(), type: 'Follow', actor: bob.url, object: `${site.url}/accounts/ada` })
  const listed = await list()
  expect(listed).toEqual({
    total: 2,
    data: [
      {
        id: expect.any(Number),
        activityId: dropped.id,
        type: 'Create',
        actor: bob.url,
        host: peer.host,
        reason: 'dropped: its object is of another origin',
        receivedAt: expect.any(String),
        repeatable: true
      },
      expect.objectContaining({ activityId: ignored.id, type: 'Like', reason: 'it concerns nothing here' })
    ]
  })
  expect(JSON.stringify(listed)).not.toContain('secret')
  for (const key of [
    'GET /server/ineffective-activities',
    'GET /server/unsendable-activities',
    'POST /server/ineffective-activities/1/process'
  ])
    expect([(await site.call(key)).status, (await site.call(key, { token: ada.token })).status], key).toEqual([401, 403])
})

test('an activity is processed again: it has its effect once its cause is gone, or is listed once more', async () => {
  const { uuid, id } = await seedVideo({ channelId: ada.channelId, privacy: 3 })
  const url = `${site.url}/videos/watch/${uuid}`
  await runQuery(sql`UPDATE videos SET url = ${url} WHERE id = ${id}`)
  const { id: activityId } = await send(like(url))
  const find = async () => (await list()).data.filter((one: { activityId: string }) => one.activityId === activityId)
  const processAgain = async (entry: number) =>
    (await site.call(`POST /server/ineffective-activities/${entry}/process`, { token: root })).status
  const [first] = await find()
  expect(await processAgain(first.id)).toBe(204)
  await eventually(async () => (await find()).some((one: { id: number }) => one.id !== first.id), 10, 'the next entry')
  await runQuery(sql`UPDATE videos SET privacy = 1 WHERE id = ${id}`)
  const [second] = await find()
  // What is remembered of it may be gone.
  await runQuery(sql`DELETE FROM incoming WHERE starts_with(activity_id, ${activityId})`)
  expect(await processAgain(second.id)).toBe(204)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM reactions WHERE url = ${activityId}`)).length === 1, 10, 'the like')
  expect(await find()).toEqual([])
  for (const gone of [second.id, 2 ** 40]) expect(await processAgain(gone)).toBe(404)
})

test('of each host the newest are kept, without large and old bodies', async () => {
  const likes: string[] = []
  for (let number = 0; number < 7; number++) likes.unshift((await send(like(`${site.url}/w/${number}`))).id)
  const large = await send({ ...like(`${site.url}/w/large`, eve), content: 'x'.repeat(3000) })
  expect((await list(`?host=${peer.host}`)).data.map((one: { activityId: string }) => one.activityId)).toEqual(likes.slice(0, 4))
  const { total, data } = await list(`?host=${otherPeer.host}`)
  expect([total, data[0]]).toEqual([1, expect.objectContaining({ activityId: large.id, repeatable: false })])
  expect((await site.call(`POST /server/ineffective-activities/${data[0].id}/process`, { token: root })).status).toBe(409)
  expect((await list(`?host=${otherPeer.host}`)).total).toBe(1)
  await runQuery(sql`UPDATE ineffective_activities SET received_at = now() - interval '4 days'`)
  await sweepIneffectiveActivities()
  expect((await list()).data.map((one: { repeatable: boolean }) => one.repeatable)).toEqual(Array(5).fill(false))
})

test('activities that cannot be signed are listed and tried again', async () => {
  const keyless = `${site.url}/accounts/keyless`
  const enqueue = async (name: string) =>
    await enqueueActivity({
      activity: { type: 'Follow', id: `${keyless}/follows/${name}`, actor: keyless, object: bob.url },
      kind: 'base',
      audience: { inboxes: [bob.inbox] },
      lane: 0,
      subject: name
    })
  for (const name of ['one', 'two']) await enqueue(name)
  const listUnsendable = async () => (await site.call('GET /server/unsendable-activities', { token: root })).json
  await eventually(async () => (await listUnsendable()).total === 2, 20, 'what is set aside')
  // One that is left would be taken for the delivery of the next attempt, and then be deleted.
  expect(
    await runQuery(sql`SELECT 1 FROM deliveries WHERE outgoing_id IN (SELECT id FROM outgoing WHERE set_aside_at IS NOT NULL)`)
  ).toEqual([])
  const { data } = await listUnsendable()
  expect(data.find((one: { activityId: string }) => one.activityId === `${keyless}/follows/one`)).toEqual({
    id: expect.any(Number),
    activityId: `${keyless}/follows/one`,
    type: 'Follow',
    actor: keyless,
    reason: expect.stringContaining('keyless'),
    setAsideAt: expect.any(String)
  })
  const retry = async (body?: object) => (await site.call('POST /server/unsendable-activities/retry', { token: root, body })).status
  expect(await retry({ id: 2 ** 40 })).toBe(404)
  const delivered = () => peer.received.filter(({ activity }) => activity?.actor === keyless).map(({ activity }) => activity.id)
  await runQuery(sql`
    INSERT INTO actors (type, url, preferred_username, public_key, private_key, inbox_url, outbox_url, created_at, updated_at)
    SELECT 'Person', ${keyless}, 'keyless', public_key, private_key, ${`${keyless}/inbox`}, ${`${keyless}/outbox`}, now(), now()
    FROM actors WHERE host IS NULL AND preferred_username = 'ada'`)
  expect(await retry({ id: data[0].id })).toBe(204)
  await eventually(async () => delivered().length === 1, 20, 'one')
  expect(await retry()).toBe(204)
  await eventually(async () => delivered().length === 2, 20, 'all')
  expect(new Set(delivered()).size).toBe(2)
  expect((await listUnsendable()).total).toBe(0)
  expect(await retry()).toBe(404)
})
