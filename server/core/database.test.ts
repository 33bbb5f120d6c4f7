import { expect, inject, it } from 'vitest'
import { withTestDatabase } from '../test/instance.ts'
import { DatabaseClient } from './database.ts'

it('a connection that the server ends while idle rejects its next query and does not crash the process', async () => {
  const { host, port, username } = inject('postgres')
  const client = new DatabaseClient({ host, port, user: username, database: 'postgres' })
  await client.connect()
  const ended = new Promise(resolve => client.once('end', resolve))
  await withTestDatabase(
    async other => await other.query('SELECT pg_terminate_backend($1)', [(client as unknown as { processID: number }).processID])
  )
  await ended
  await expect(client.query('SELECT 1')).rejects.toThrow('not queryable')
})
