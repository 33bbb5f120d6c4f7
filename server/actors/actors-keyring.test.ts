import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let peer: HostilePeer
beforeAll(async () => {
  site = await startTestInstance({ internals: { actors: { rememberedFor: 500, goneFor: 500 } } })
  peer = await startHostilePeer()
})
afterAll(async () => await Promise.all([site?.stop(), peer?.stop()]))

const follow = (actor: string) => ({ id: peer.id(), type: 'Follow', actor, object: `${site.url}/accounts/peertube` })

test('an activity whose key cannot be fetched now gets 503 with Retry-After and is accepted later', async () => {
  const alice = await peer.actor('alice')
  const path = new URL(alice.url).pathname
  peer.serve(path, (_request, response) => void response.writeHead(502).end())
  const first = await peer.post(`${site.url}/inbox`, follow(alice.url))
  expect([first.status, first.json.detail, first.headers['retry-after']]).toEqual([
    503,
    'The key of the signature cannot be asked for now',
    '1'
  ])
  // The unresponsive server is not asked again for every activity.
  const asked = peer.asked.length
  expect((await peer.post(`${site.url}/inbox`, follow(alice.url))).status).toBe(503)
  expect(peer.asked.length).toBe(asked)
  peer.serve(path, alice.document)
  await eventually(async () => (await peer.post(`${site.url}/inbox`, follow(alice.url))).status === 202, 5, 'the key')
  await eventually(
    async () =>
      (await runQuery(sql`SELECT 1 FROM follows JOIN actors ON actors.id = actor_id WHERE actors.url = ${alice.url}`)).length === 1,
    5,
    'the follow'
  )
})

test('a key that does not exist on its server gives 401', async () => {
  const nobody = await peer.actor('nobody')
  peer.serve(new URL(nobody.url).pathname, (_request, response) => void response.writeHead(404).end())
  expect((await peer.post(`${site.url}/inbox`, follow(nobody.url))).status).toBe(401)
})

test('a signature that does not match the stored key gives 503 while the server of the key does not respond', async () => {
  const bob = await peer.actor('bob')
  expect((await peer.post(`${site.url}/inbox`, follow(bob.url))).status).toBe(202)
  const path = new URL(bob.url).pathname
  peer.serve(path, (_request, response) => void response.writeHead(502).end())
  const renewed = await peer.actor('bob2')
  const again = { ...bob, privateKey: renewed.privateKey }
  await runQuery(sql`UPDATE actors SET key_refreshed_at = NULL WHERE url = ${bob.url}`)
  expect((await peer.post(`${site.url}/inbox`, follow(bob.url), { as: again })).status).toBe(503)
  // The stored key stays valid.
  expect((await peer.post(`${site.url}/inbox`, follow(bob.url))).status).toBe(202)
})
