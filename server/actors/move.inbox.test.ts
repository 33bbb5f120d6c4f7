import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { ActorModel } from './actor.model.ts'
import { followActor } from './follows.ts'
import { resolveActor } from './resolve-actor.ts'

let site: TestInstance
let hostile: HostilePeer
let ada: ActorModel
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({ internals: { outbox: { retryDelay: 200, checkInterval: 300 } } }),
    startHostilePeer()
  ])
  await site.user('ada')
  ada = await ActorModel.findOne({ where: { url: `${site.url}/accounts/ada` }, rejectOnEmpty: true })
})
afterAll(async () => {
  await Promise.all([site?.stop(), hostile?.stop()])
})

const followedUrls = async () =>
  (
    await runQuery<{ url: string }>(
      sql`SELECT actors.url FROM follows JOIN actors ON actors.id = target_id WHERE actor_id = ${ada.id} ORDER BY follows.id`
    )
  ).map(({ url }) => url)
async function move(from: HostileActor, to: HostileActor, more: object = {}, as = from): Promise<void> {
  const id = hostile.id('move')
  await hostile.post(`${site.url}/inbox`, { type: 'Move', id, actor: as.url, object: from.url, target: to.url, ...more })
  await eventually(
    async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE activity_id = ${id} AND done_at IS NOT NULL`)).length === 1,
    10,
    'the processing'
  )
}

test('a Move transfers local followers if the new actor lists the old one in alsoKnownAs, and only if the old actor sends it', async () => {
  const [oldActor, thief] = [await hostile.actor('old'), await hostile.actor('thief')]
  const newActor = await hostile.actor('fresh', 'Person', { alsoKnownAs: [oldActor.url] })
  await followActor(ada, await resolveActor(oldActor.url))
  expect(await followedUrls()).toEqual([oldActor.url])
  await move(oldActor, thief)
  expect(await followedUrls()).toEqual([oldActor.url])
  await move(oldActor, newActor, {}, thief)
  expect(await followedUrls()).toEqual([oldActor.url])
  await move(oldActor, newActor)
  expect(await followedUrls()).toEqual([newActor.url])
  await eventually(
    async () =>
      hostile.received.some(({ activity }) => activity.type === 'Undo' && activity.object.object === oldActor.url) &&
      hostile.received.some(({ activity }) => activity.type === 'Follow' && activity.object === newActor.url),
    10,
    'the Undo and the Follow'
  )
})
