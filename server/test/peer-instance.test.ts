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
    () => 'nobody'
  )

test('a second instance runs beside, is killed and comes back, with its wire cut and mended', async () => {
  expect(await ping()).toBe('pong')
  const { id } = await peer.user('grace')
  await peer.kill('web')
  expect(await ping()).toBe('nobody')
  await peer.start()
  expect(await ping()).toBe('pong')
  peer.wire.cut()
  expect(await ping()).toBe('nobody')
  peer.wire.mend()
  expect(await ping()).toBe('pong')
  await peer.kill()
  await peer.start()
  const token = await eventually(async () => await peer.login('grace').catch(() => null), 10, 'the login')
  expect((await peer.call('GET /users/me', { token })).json.id).toBe(id)
})
