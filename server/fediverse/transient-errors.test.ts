import { createServer } from 'node:net'
import pg from 'pg'
import { expect, it } from 'vitest'
import { findFreePort } from '../../scripts/launch/free-port.ts'
import { withTestDatabase } from '../test/instance.ts'
import { isTransientError } from './transient-errors.ts'

/** The error of a query after `breakConnection`. */
async function queryErrorAfter(breakConnection: (client: pg.Client, connection: Record<string, any>) => Promise<unknown>): Promise<Error> {
  return await withTestDatabase(async admin => {
    const connection = { host: admin.host, port: admin.port, user: admin.user, password: admin.password, database: admin.database }
    const client = new pg.Client(connection)
    client.on('error', () => undefined)
    try {
      await client.connect()
      await breakConnection(client, connection)
      await client.query('SELECT 1')
    } catch (error) {
      return error as Error
    } finally {
      await client.end().catch(() => undefined)
    }
    throw new Error('The query went through.')
  })
}

/** Terminates the session of a client from another one, as a restart of the database does. */
async function terminateSession(client: pg.Client): Promise<void> {
  const id = (client as unknown as { processID: number }).processID
  await withTestDatabase(async admin => await admin.query('SELECT pg_terminate_backend($1)', [id]))
}

it('a lost database connection is a transient error, however it shows', async () => {
  const afterEnd = await queryErrorAfter(async client => {
    const gone = new Promise(resolve => client.once('end', resolve))
    await terminateSession(client)
    await gone
  })
  expect(afterEnd.message).toMatch('not queryable')
  const afterClose = await queryErrorAfter(async client => await client.end())
  const duringQuery = await queryErrorAfter(async client => {
    const query = client.query('SELECT pg_sleep(30)')
    await Promise.all([query, terminateSession(client)])
  })
  const refused = await queryErrorAfter(async (_client, connection) => {
    const client = new pg.Client({ ...connection, port: await findFreePort() })
    await client.connect()
  })
  const silentServer = createServer(() => undefined)
  await new Promise<void>(resolve => silentServer.listen(0, '127.0.0.1', resolve))
  const timedOut = await queryErrorAfter(async (_client, connection) => {
    const client = new pg.Client({
      ...connection,
      host: '127.0.0.1',
      port: (silentServer.address() as { port: number }).port,
      connectionTimeoutMillis: 50
    })
    client.on('error', () => undefined)
    await client.connect()
  })
  silentServer.close()
  for (const error of [afterEnd, afterClose, duringQuery, refused, timedOut]) expect(isTransientError(error), error.message).toBe(true)
})

it('an error in a statement is not transient', async () => {
  const statementError = await queryErrorAfter(async client => await client.query('SELECT nothing FROM nowhere'))
  expect(isTransientError(statementError)).toBe(false)
  expect(isTransientError(new Error('a fault of ours'))).toBe(false)
})
