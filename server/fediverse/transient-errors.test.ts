import { createServer } from 'node:net'
import pg from 'pg'
import { expect, it } from 'vitest'
import { withTestDatabase, freePort } from '../test/instance.ts'
import { isTransientError } from './transient-errors.ts'

/** The error of a query on a client that `spoil` has spoiled. */
async function faultAfter(spoil: (client: pg.Client, connection: Record<string, any>) => Promise<unknown>): Promise<Error> {
  return await withTestDatabase(async other => {
    const connection = { host: other.host, port: other.port, user: other.user, password: other.password, database: other.database }
    const client = new pg.Client(connection)
    client.on('error', () => undefined)
    try {
      await client.connect()
      await spoil(client, connection)
      await client.query('SELECT 1')
    } catch (error) {
      return error as Error
    } finally {
      await client.end().catch(() => undefined)
    }
    throw new Error('The query went through.')
  })
}

/** Ends the session of a client from another one, as a restart of the database does. */
async function endSession(client: pg.Client): Promise<void> {
  const id = (client as unknown as { processID: number }).processID
  await withTestDatabase(async other => await other.query('SELECT pg_terminate_backend($1)', [id]))
}

it('a database that went away is a passing fault, however it was noticed', async () => {
  const noticedLater = await faultAfter(async client => {
    const gone = new Promise(resolve => client.once('end', resolve))
    await endSession(client)
    await gone
  })
  expect(noticedLater.message).toMatch('not queryable')
  const closed = await faultAfter(async client => await client.end())
  const whileAsking = await faultAfter(async client => {
    const asked = client.query('SELECT pg_sleep(30)')
    await Promise.all([asked, endSession(client)])
  })
  const nobodyThere = await faultAfter(async (_client, connection) => {
    const client = new pg.Client({ ...connection, port: await freePort() })
    await client.connect()
  })
  const silent = createServer(() => undefined)
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const noAnswer = await faultAfter(async (_client, connection) => {
    const client = new pg.Client({
      ...connection,
      host: '127.0.0.1',
      port: (silent.address() as { port: number }).port,
      connectionTimeoutMillis: 50
    })
    client.on('error', () => undefined)
    await client.connect()
  })
  silent.close()
  for (const error of [noticedLater, closed, whileAsking, nobodyThere, noAnswer]) expect(isTransientError(error), error.message).toBe(true)
})

it('what the database says of a statement is none', async () => {
  const wrong = await faultAfter(async client => await client.query('SELECT nothing FROM nowhere'))
  expect(isTransientError(wrong)).toBe(false)
  expect(isTransientError(new Error('a fault of ours'))).toBe(false)
})
