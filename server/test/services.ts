import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { keeper } from '../../scripts/launch/keeper.ts'
import { startPostgres, type PostgresAddress } from '../../scripts/launch/postgres.ts'
import { startRedis } from '../../scripts/launch/redis.ts'

declare module 'vitest' {
  /** The Postgres and the Redis of this test run, for `inject('postgres')` and `inject('redis')`; `host` is a socket's folder. */
  interface ProvidedContext {
    postgres: Pick<PostgresAddress, 'host' | 'port' | 'username'>
    redis: { socket: string }
  }
}

/** Starts one Postgres (that may lose data at a power cut, and has no autovacuum, whose workers refuse to leave a database that is to be dropped) and one Redis for a whole test run, in a temporary folder. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'bobine-test-'))
  chmodSync(folder, 0o711)
  const [postgres, redis] = await Promise.all([
    startPostgres(folder, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off', max_connections: '200' }),
    startRedis(folder)
  ])
  const { host, port, username } = postgres.address
  project.provide('postgres', { host, port, username })
  project.provide('redis', redis.address)
  return keeper(folder, postgres.pid, redis.pid)
}
