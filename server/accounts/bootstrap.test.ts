import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import '../app/models.ts'
import { environmentSecrets, loadConfig } from '../core/config.ts'
import { connectDatabase, disconnectDatabase } from '../core/database.ts'
import { migrateDatabase } from '../core/migrate.ts'
import { runQuery, sql } from '../core/sql.ts'
import { withTestDatabase, testInstanceConfig } from '../test/instance.ts'
import { matchesPassword } from './password.ts'
import { bootstrapInstance } from './bootstrap.ts'

const name = `test_${randomBytes(6).toString('hex')}`
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bobine-root-'))
  await withTestDatabase(async client => await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`))
  loadConfig({ overrides: { ...testInstanceConfig(name, folder, 9000), admin: { email: 'boss@example.com' } } })
  await connectDatabase()
  await migrateDatabase()
})
afterAll(async () => {
  await disconnectDatabase()
  await withTestDatabase(async client => await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  await rm(folder, { recursive: true, force: true })
})

test('of several processes that start at once one creates the administrator and returns the password', async () => {
  const logins = await Promise.all([bootstrapInstance(), bootstrapInstance(), bootstrapInstance()])
  const created = logins.filter(login => login !== null)
  expect(created).toEqual([{ username: 'root', password: expect.stringMatching(/^[A-Za-z0-9]{20}$/) }])
  const users = await runQuery<{ email: string; role: number; password_hash: string; email_verified: boolean }>(sql`SELECT * FROM users`)
  expect(users).toMatchObject([{ username: 'root', email: 'boss@example.com', role: 0, email_verified: true }])
  expect(await matchesPassword(created[0]!.password, users[0]!.password_hash)).toBe(true)
  expect(await runQuery(sql`SELECT type, preferred_username AS name FROM actors ORDER BY id`)).toEqual([
    { type: 'Application', name: 'peertube' },
    { type: 'Person', name: 'root' },
    { type: 'Group', name: 'root_channel' }
  ])
  expect(
    await runQuery(
      sql`SELECT id, length(client_id) AS id_length, length(client_secret) AS secret_length, length(secret) >= 32 AS secret
        FROM instances`
    )
  ).toEqual([{ id: 1, id_length: 32, secret_length: 32, secret: true }])
  expect(await runQuery(sql`SELECT name, user_id FROM accounts ORDER BY id`)).toEqual([
    { name: 'peertube', user_id: null },
    { name: 'root', user_id: 1 }
  ])
})

test('a later start creates nothing', async () => {
  expect(await bootstrapInstance()).toBeNull()
})

test('the first password can be set by the environment', async () => {
  await runQuery(sql`TRUNCATE instances, users, actors, accounts, channels, retired_names CASCADE`)
  environmentSecrets.rootPassword = 'given from outside'
  try {
    expect(await bootstrapInstance()).toEqual({ username: 'root', password: 'given from outside' })
  } finally {
    environmentSecrets.rootPassword = undefined
  }
  const [user] = await runQuery<{ password_hash: string }>(sql`SELECT password_hash FROM users`)
  expect(await matchesPassword('given from outside', user!.password_hash)).toBe(true)
})
