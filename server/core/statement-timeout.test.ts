import { afterAll, beforeAll, expect, it } from 'vitest'
import { config } from './config.ts'
import { sequelize } from './database.ts'
import { LOCKS } from './locks.ts'
import { migrateDatabase } from './migrate.ts'
import { runAsRequest } from './request-context.ts'
import { runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'
import { eventually, startTestInstance, withTestDatabase, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let root: string
let ada: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  const limits = { statement_timeout: { requests: '800 ms' }, slow_statement: { requests: '200 ms' } }
  site = await startTestInstance({ database: { pool: { max: 3 }, ...limits } }, ['web'])
  root = await site.login()
  ada = await site.user('ada')
})
afterAll(async () => await site?.stop())

/** Runs `act` while another session holds a lock on the table. */
async function withLockedTable<T>(table: string, act: () => Promise<T>): Promise<T> {
  return await withTestDatabase(async client => {
    await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
    try {
      return await act()
    } finally {
      await client.query('ROLLBACK')
    }
  }, config.database.name)
}

it('a request whose statement takes too long is answered 503 and stores nothing', async () => {
  const { status, json, headers } = await withLockedTable(
    'videos',
    async () => await site.call('POST /video-channels', { token: ada.token, body: { name: 'films', displayName: 'Films' } })
  )
  const listed = await withLockedTable('videos', async () => await site.call('GET /videos?search=a'))
  expect([listed.status, listed.json.code, listed.headers.get('retry-after')]).toEqual([503, 'database_timeout', '30'])
  expect(listed.json).toMatchObject({ status: 503, title: 'Service Unavailable' })
  if (status !== 200) {
    expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'database_timeout', '30'])
    expect(await runQuery(sql`SELECT 1 FROM actors WHERE username = 'films'`)).toEqual([])
  }
  expect((await site.call('GET /videos')).status).toBe(200)
})

it('a transaction that is ended by the limit is rolled back, and its connection is used again', async () => {
  const insert = async () =>
    await runAsRequest(
      async () =>
        await transaction(async tx => {
          await runQuery(sql`INSERT INTO view_marks (video_id, viewer, counted_at) SELECT 1, gen_random_uuid(), now() WHERE false`, tx)
          await runQuery(sql`UPDATE custom_config SET revision = revision + 1`, tx)
          await runQuery(sql`SELECT pg_sleep(5)`, tx)
        })
    )
  const before = await runQuery(sql`SELECT revision FROM custom_config`)
  for (let index = 0; index < 4; index++) await expect(insert()).rejects.toMatchObject({ original: { code: '57014' } })
  expect(await runQuery(sql`SELECT revision FROM custom_config`)).toEqual(before)
})

it('jobs, and what must not be lost, have the limit of jobs on the same connections', async () => {
  const nap = async () => await runQuery(sql`SELECT pg_sleep(1)`)
  await expect(runAsRequest(nap)).rejects.toThrow('statement timeout')
  await nap()
  await runAsRequest(async () => await transaction(async tx => void (await runQuery(sql`SELECT pg_sleep(1)`, tx)), { timeLimited: false }))
  const { status } = await slowly(
    'custom_config',
    async () => await site.call('PUT /config/custom', { token: root, body: await customConfig() })
  )
  expect(status).toBe(200)
})

it('migrations have no limit', async () => {
  const { statement_timeout } = config.database
  Object.assign(config.database, { statement_timeout: { ...statement_timeout, jobs: 200 } })
  try {
    await withTestDatabase(async client => {
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${LOCKS.MIGRATE})`)
      const migrated = migrateDatabase()
      await new Promise(resolve => setTimeout(resolve, 500))
      await client.query('ROLLBACK')
      await migrated
    }, config.database.name)
    await expect(runQuery(sql`SELECT pg_sleep(1)`)).rejects.toThrow('statement timeout')
  } finally {
    Object.assign(config.database, { statement_timeout })
  }
})

it('waiting for a connection has the limit of a statement, too', async () => {
  const held = [1, 2, 3].map(async () => await runQuery(sql`SELECT pg_sleep(2)`))
  const { status, json } = await site.call('GET /videos?search=b')
  expect([status, json.code]).toEqual([503, 'database_timeout'])
  await Promise.all(held)
  expect((await site.call('GET /videos?search=b')).status).toBe(200)
  expect((sequelize.connectionManager as unknown as { pool: { size: number } }).pool.size).toBeLessThanOrEqual(3)
})

it('slow statements are named on the health page, without their values', async () => {
  await runAsRequest(async () => await sequelize.query(`SELECT pg_sleep(0.25), 'secret''s', 42 AS answer, $1::text`, { bind: ['hidden'] }))
  const { json } = await eventually(async () => {
    const answer = await site.call('GET /server/health', { token: root })
    return answer.json.slowStatements?.some((one: { statement: string }) => one.statement.includes('answer')) && answer
  })
  const [found] = json.slowStatements.filter((one: { statement: string }) => one.statement.includes('answer'))
  expect(found).toMatchObject({ statement: 'SELECT pg_sleep(?), ? AS answer, $1::text', count: 1 })
  expect(found.longest).toBeGreaterThan(240)
  expect(json.faults.map((fault: { code: string }) => fault.code)).not.toContain('slow_statements')
})

async function customConfig(): Promise<object> {
  return (await site.call('GET /config/custom', { token: root })).json
}

/** Runs `act` while another session keeps the rows of a table locked for longer than a request's limit. */
async function slowly<T>(table: string, act: () => Promise<T>): Promise<T> {
  return await withTestDatabase(async client => {
    const answer = act()
    await client.query(`BEGIN; SELECT 1 FROM ${table} FOR UPDATE`)
    await new Promise(resolve => setTimeout(resolve, 1200))
    await client.query('ROLLBACK')
    return await answer
  }, config.database.name)
}
