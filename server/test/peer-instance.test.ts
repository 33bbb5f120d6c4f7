import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'
import { eventually } from './instance.ts'

let peer: PeerInstance
beforeAll(async () => {
  peer = await startPeerInstance({}, ['web', 'worker'])
})
afterAll(async () => await peer.stop())

const ping = async () =>
  await peer.call('GET /ping').then(
    ({ text }) => text,
    () => 'unreachable'
  )

test('a second instance can be killed and restarted, and its connections interrupted and restored', async () => {
  expect(await ping()).toBe('pong')
  const { id } = await peer.user('grace')
  await peer.kill('web')
  expect(await ping()).toBe('unreachable')
  await peer.start()
  expect(await ping()).toBe('pong')
  peer.proxy.cut()
  expect(await ping()).toBe('unreachable')
  peer.proxy.restore()
  expect(await ping()).toBe('pong')
  await peer.kill()
  await peer.start()
  const token = await eventually(async () => await peer.login('grace').catch(() => null), 10, 'the login')
  expect((await peer.call('GET /users/me', { token })).json.id).toBe(id)
})
