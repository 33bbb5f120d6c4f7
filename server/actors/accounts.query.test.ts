import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'

const recorded = JSON.parse(readFileSync(new URL('../accounts/recorded.json', import.meta.url), 'utf8'))
let instance: TestInstance
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
  await instance.user('user1')
  const [actor] = await runQuery<{ id: number }>(sql`
    INSERT INTO actors (type, url, preferred_username, host, inbox_url, remote_created_at, followers_count, created_at, updated_at)
    VALUES ('Person', 'http://far.example/accounts/user1', 'user1', 'far.example', 'http://far.example/inbox',
      '2024-01-01T00:00:00Z', 7, now(), now()) RETURNING id`)
  await runQuery(sql`INSERT INTO accounts (actor_id, name, created_at, updated_at) VALUES (${actor!.id}, 'Far away', now(), now())`)
})
afterAll(async () => {
  await instance?.stop()
})

test('an account has the recorded shape and is found by name in any case, with and without the host of the instance', async () => {
  const { host } = new URL(instance.url)
  const answer = await instance.call('GET /accounts/user1')
  expect(answer.status).toBe(200)
  expect(findJsonShapeDifferences(recorded.account, answer.json)).toEqual([])
  for (const handle of ['USER1', '@user1', `user1@${host}`])
    expect((await instance.call(`GET /accounts/${handle}`)).json, handle).toEqual(answer.json)
  expect(answer.json).toMatchObject({
    url: `${instance.url}/accounts/user1`,
    host,
    displayName: 'user1',
    hostRedundancyAllowed: false,
    followersCount: 0
  })
  expect(new Date(answer.json.createdAt).toISOString()).toBe(answer.json.createdAt)
})

test('a remote account of the same name is distinct, has no userId and the date of creation of its server', async () => {
  const { json } = await instance.call('GET /accounts/user1@FAR.example')
  expect(json).toMatchObject({ displayName: 'Far away', host: 'far.example', followersCount: 7, createdAt: '2024-01-01T00:00:00.000Z' })
  expect(json).not.toHaveProperty('userId')
})

test('unknown names give 404, malformed ones 400', async () => {
  expect((await instance.call('GET /accounts/unknown')).json).toMatchObject({ status: 404, detail: 'Account not found' })
  expect((await instance.call('GET /accounts/user1@other.example')).status).toBe(404)
  expect((await instance.call('GET /accounts/root_channel')).status).toBe(404)
  for (const handle of ['a%20b', "'%20OR%201=1--", 'a@b@c', 'x'.repeat(300)])
    expect((await instance.call(`GET /accounts/${handle}`)).status, handle).toBe(400)
})

test('all accounts are listed newest first, paged and sorted', async () => {
  const all = (await instance.call('GET /accounts')).json
  expect(all.total).toBe(4)
  expect(all.data.map((one: { displayName: string }) => one.displayName)).toEqual(['user1', 'root', 'peertube', 'Far away'])
  expect(
    (await instance.call('GET /accounts?sort=createdAt&start=1&count=2')).json.data.map((one: { displayName: string }) => one.displayName)
  ).toEqual(['peertube', 'root'])
  expect((await instance.call('GET /accounts?count=0')).json).toEqual({ total: 4, data: [] })
  expect((await instance.call('GET /accounts?start=10')).json).toEqual({ total: 4, data: [] })
  expect((await instance.call('GET /accounts?sort=private_key')).status).toBe(400)
})

test('no response contains a private key or a password hash', async () => {
  const token = await instance.login()
  for (const key of ['GET /accounts', 'GET /accounts/user1', 'GET /users', 'GET /users/me', 'GET /video-channels']) {
    expect((await instance.call(key, { token })).text, key).not.toMatch(/PRIVATE KEY|\$2b\$/)
  }
})
