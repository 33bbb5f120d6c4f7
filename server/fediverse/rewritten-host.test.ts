import { createHash } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cavageSignatureHeader, startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let peer: HostilePeer
let bob: HostileActor
beforeEach(async () => {
  peer = await startHostilePeer()
  bob = await peer.actor('bob')
})
afterEach(async () => await Promise.all([site, peer].map(async one => await one?.stop())))

/** Posts an activity that is signed for our host and comes with other headers, as through a proxy. */
const postThroughProxy = async (headers: Record<string, string>, signedHost = new URL(site.url).host) => {
  const activity = { id: peer.id(), type: 'Like', actor: bob.url, object: `${site.url}/w/x` }
  const signed = {
    host: signedHost,
    date: new Date().toUTCString(),
    digest: `SHA-256=${createHash('sha256').update(JSON.stringify(activity)).digest('base64')}`
  }
  const url = `${site.url}/inbox`
  const signature = cavageSignatureHeader('POST', new URL(url), signed, bob, ['(request-target)', 'host', 'date', 'digest'])
  return await peer.post(url, activity, { headers: { ...signed, signature, ...headers } })
}
const faultsOf = async () =>
  (await site.call('GET /server/health', { token: await site.login() })).json.faults.filter(
    ({ code }: { code: string }) => code === 'proxy_rewrites_host'
  )

test('a trusted proxy that rewrites the host names it in X-Forwarded-Host, which counts only where it is ours', async () => {
  site = await startTestInstance({ trust_proxy: ['loopback'] })
  const { host } = new URL(site.url)
  expect((await postThroughProxy({ host: 'app:9000', 'x-forwarded-host': host })).status).toBe(202)
  expect((await postThroughProxy({ host: 'app:9000', 'x-forwarded-host': `${host}, inner` })).status).toBe(202)
  expect((await postThroughProxy({ host, 'x-forwarded-host': 'evil.example' })).status).toBe(202)
  for (const forwarded of ['evil.example', '', 'evil.example, ' + host, `${host}.evil.example`]) {
    const { status, text } = await postThroughProxy({ host: 'evil.example', 'x-forwarded-host': forwarded }, 'evil.example')
    expect([status, text], forwarded).toEqual([401, expect.stringContaining('another host')])
  }
  expect(await faultsOf()).toEqual([])
})

test('the health page tells that the proxy rewrites the host, until a request comes as it was signed', async () => {
  site = await startTestInstance({ trust_proxy: ['192.0.2.1'] })
  const { host } = new URL(site.url)
  expect((await postThroughProxy({ host: 'evil.example' }, 'evil.example')).status).toBe(401)
  expect(await faultsOf()).toEqual([])
  const { status, text } = await postThroughProxy({ host: 'app:9000', 'x-forwarded-host': host })
  expect([status, text]).toEqual([401, expect.stringContaining('rewrites the host name')])
  await eventually(async () => (await faultsOf()).length === 1, 10, 'the fault')
  expect(await faultsOf()).toEqual([{ code: 'proxy_rewrites_host', bad: true, hosts: ['app:9000'] }])
  expect((await postThroughProxy({})).status).toBe(202)
  await eventually(async () => (await faultsOf()).length === 0, 10, 'the end of the fault')
})
