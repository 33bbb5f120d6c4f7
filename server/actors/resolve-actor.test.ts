import { afterAll, beforeAll, expect, test } from 'vitest'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { resolveActor } from './resolve-actor.ts'

let site: TestInstance
let peer: HostilePeer
beforeAll(async () => {
  ;[site, peer] = await Promise.all([
    startTestInstance({ federation: { fetch: { per_host: { max: 100_000 } } } }, ['web']),
    startHostilePeer()
  ])
})
afterAll(async () => {
  await Promise.all([site?.stop(), peer?.stop()])
})

test('an unknown actor that many activities name at once is stored once, and each gets it', { timeout: 60_000 }, async () => {
  for (let round = 0; round < 10; round++) {
    const { url } = await peer.actor(`Films${round}`, 'Group')
    const found = await Promise.all(Array.from({ length: 20 }, async () => (await resolveActor(url)).url))
    expect(new Set(found)).toEqual(new Set([url]))
  }
})

test('of several actors with one name on a host the first keeps it', async () => {
  const { url, document } = await peer.actor('twin')
  const others = Array.from({ length: 5 }, (_, index) => `${peer.url}/others/${index}`)
  for (const id of others)
    peer.serve(new URL(id).pathname, { ...document, id, publicKey: { ...(document.publicKey as object), id: `${id}#key`, owner: id } })
  const results = await Promise.allSettled([url, ...others].map(async address => (await resolveActor(address)).url))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ kind: 'invalid' })
})
