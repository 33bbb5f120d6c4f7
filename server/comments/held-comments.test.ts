import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'
import { startScriptedPeerTube, type ScriptedPeerTube } from '../test/scripted-peertube.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let origin: ScriptedPeerTube
let other: HostilePeer
beforeAll(async () => {
  site = await startTestInstance({ internals: { outbox: { checkInterval: 300 } } })
  origin = await startScriptedPeerTube(() => `${site.url}/inbox`)
  other = await startHostilePeer()
  await origin.follow()
}, 60_000)
afterAll(async () => {
  await Promise.all([origin?.peer.stop(), other?.stop(), site?.stop()])
})

test('a comment that waits for the owner of a remote video can be read by the origin that judges it, and by nobody else', async () => {
  const { peer, account, instance } = origin
  const { video, activity } = origin.publish({ commentsPolicy: 3 })
  await origin.deliver(activity)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${video.id}`)).length === 1, 20, 'the video')
  const bob = await site.user('bob')
  const { json } = await site.call(`POST /videos/${video.id.slice(-36)}/comment-threads`, { token: bob.token, body: { text: 'May I?' } })
  expect(json.comment.heldForReview).toBe(true)
  const { url } = json.comment
  await eventually(async () => peer.received.some(({ raw }) => raw.includes('May I?')), 20, 'the Create')

  const status = async (address: string, as: HostileActor | null, by = peer) => (await by.get(address, { as })).status
  const neighbour = await peer.actor('neighbour')
  const stranger = await other.actor('peertube', 'Application')
  for (const address of [url, `${url}/activity`]) {
    expect([await status(address, instance), await status(address, account)]).toEqual([200, 200])
    expect([await status(address, null), await status(address, neighbour), await status(address, stranger, other)]).toEqual([404, 404, 404])
  }
  // A falsified signature, and one of the right host with another key.
  expect((await peer.get(url, { as: { ...neighbour, keyId: instance.keyId } })).status).toBe(404)
  expect((await peer.get(url, { as: instance })).headers['cache-control']).toBe('private, no-store')
  expect((await peer.get(url, { as: instance })).json).toMatchObject({
    type: 'Note',
    inReplyTo: video.id,
    attributedTo: `${site.url}/accounts/bob`
  })
})
