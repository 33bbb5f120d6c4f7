import { existsSync, statSync } from 'node:fs'
import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, inject, test } from 'vitest'

test('the test run has its own Postgres on a Unix socket, with UTF8 and the right to create databases', async () => {
  const { host, port, username } = inject('postgres')
  const client = new pg.Client({ host, port, user: username, database: 'postgres' })
  await client.connect()
  try {
    const {
      rows: [row]
    } = await client.query(
      `SELECT current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS addresses, upper('é') AS upper,
        rolcreatedb, rolsuper FROM pg_roles WHERE rolname = current_user`
    )
    expect(row).toEqual({ encoding: 'UTF8', addresses: '', upper: 'É', rolcreatedb: true, rolsuper: false })
  } finally {
    await client.end()
  }
})

test('the test run has its own Redis on a Unix socket', async () => {
  const { socket } = inject('redis')
  expect(existsSync(socket)).toBe(true)
  expect(statSync(socket).isSocket()).toBe(true)
  const redis = new Redis(socket)
  try {
    expect(await redis.ping()).toBe('PONG')
    expect(await redis.config('GET', 'port')).toEqual(['port', '0'])
  } finally {
    redis.disconnect()
  }
})
