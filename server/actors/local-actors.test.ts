import { createPrivateKey, createPublicKey, createSign, createVerify } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { ActorModel } from './actor.model.ts'
import { createLocalActor, removeLocalActor, type NewLocalActor } from './local-actors.ts'

let instance: TestInstance
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
})
afterAll(async () => {
  await instance?.stop()
})

const create = async (actor: NewLocalActor) => await transaction(async tx => await createLocalActor(actor, tx))
const remove = async (actor: ActorModel) => await transaction(async tx => await removeLocalActor(actor, tx))
const TAKEN = {
  status: 409,
  message: 'Another actor (account/channel) with this name on this instance already exists or has already existed.'
}

test('an actor has the recorded URLs and a working key pair', async () => {
  const person = await create({ type: 'Person', name: 'alice' })
  const at = `${instance.url}/accounts/alice`
  expect(person).toMatchObject({
    url: at,
    inboxUrl: `${at}/inbox`,
    outboxUrl: `${at}/outbox`,
    followersUrl: `${at}/followers`,
    followingUrl: `${at}/following`,
    sharedInboxUrl: `${instance.url}/inbox`,
    preferredUsername: 'alice'
  })
  expect((await create({ type: 'Group', name: 'alice_films' })).url).toBe(`${instance.url}/video-channels/alice_films`)
  expect(person.publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
  expect(person.privateKey).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  expect(createPublicKey(person.publicKey!).asymmetricKeyDetails?.modulusLength).toBe(config.security.actor_key_bits)
  const signature = createSign('sha256').update('words').sign(createPrivateKey(person.privateKey!))
  expect(createVerify('sha256').update('words').verify(person.publicKey!, signature)).toBe(true)
})

test('a name belongs to one actor, whatever its kind and case', async () => {
  await create({ type: 'Person', name: 'bob' })
  for (const name of ['bob', 'BOB', 'Bob']) {
    for (const type of ['Person', 'Group', 'Application'] as const) await expect(create({ type, name })).rejects.toMatchObject(TAKEN)
  }
  await expect(create({ type: 'Person', name: 'peertube' })).rejects.toMatchObject(TAKEN)
})

test('a remote actor does not occupy a local name', async () => {
  await runQuery(
    sql`INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
      VALUES ('Person', 'http://far/accounts/dora', 'dora', 'far.example', 'http://far/inbox', now(), now())`
  )
  expect((await create({ type: 'Person', name: 'dora' })).host ?? null).toBeNull()
  expect((await instance.call('GET /accounts/dora@far.example')).status).toBe(404)
})

test('the name of a removed actor is never available again, in any case', async () => {
  await remove(await create({ type: 'Group', name: 'carol' }))
  expect(await ActorModel.findOne({ where: { preferredUsername: 'carol' } })).toBeNull()
  await expect(create({ type: 'Person', name: 'Carol' })).rejects.toMatchObject(TAKEN)
})

test('a removal that is rolled back retires no name', async () => {
  const actor = await create({ type: 'Group', name: 'erin' })
  await expect(
    transaction(async tx => {
      await removeLocalActor(actor, tx)
      throw new Error('rolled back')
    })
  ).rejects.toThrow('rolled back')
  expect(await runQuery(sql`SELECT name FROM retired_names WHERE name = 'erin'`)).toEqual([])
  expect(await ActorModel.findByPk(actor.id)).not.toBeNull()
})

test('of several concurrent creations with one name one succeeds, the others throw 409', async () => {
  const outcomes = await Promise.allSettled(['frank', 'FRANK', 'Frank', 'frank'].map(async name => await create({ type: 'Person', name })))
  expect(outcomes.filter(one => one.status === 'fulfilled')).toHaveLength(1)
  for (const one of outcomes) if (one.status === 'rejected') expect(one.reason).toMatchObject(TAKEN)
})

test('a name is not available while its actor is being removed', async () => {
  const actor = await create({ type: 'Group', name: 'grace' })
  const [removed, created] = await Promise.allSettled([remove(actor), create({ type: 'Group', name: 'grace' })])
  expect(removed.status).toBe('fulfilled')
  expect(created.status).toBe('rejected')
})
