import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startCleanupWatchdog } from '../../scripts/launch/cleanup-watchdog.ts'
import { startPostgres, type PostgresAddress } from '../../scripts/launch/postgres.ts'
import { startRedis } from '../../scripts/launch/redis.ts'
import { loadConfig } from '../core/config.ts'
import { connectDatabase, disconnectDatabase } from '../core/database.ts'
import { configureLogger } from '../core/logger.ts'
import { migrateDatabase } from '../core/migrate.ts'

declare module 'vitest' {
  /**
   * The Postgres and the Redis of this test run, for `inject('postgres')` and `inject('redis')`; `host` is a socket's folder, `template` a
   * migrated database to clone.
   */
  interface ProvidedContext {
    postgres: Pick<PostgresAddress, 'host' | 'port' | 'username'> & { template: string }
    redis: { socket: string }
  }
}

/** Where the services of a test run are. */
export type TestServices = Pick<import('vitest').ProvidedContext, 'postgres' | 'redis'>

/** Services with what tells vitest processes of them, and what ends them. */
export type RunningTestServices = TestServices & { environment: Record<string, string>; stop(): Promise<void> }

/** By this `scripts/test` hands its services to the vitest processes it starts, as JSON. */
const SERVICES_VARIABLE = 'BOBINE_TEST_SERVICES'

const TEMPLATE = 'bobine_migrated'

/**
 * Starts one Postgres (that may lose data at a power cut, and has no autovacuum, whose workers refuse to leave a database that is to be
 * dropped) and one Redis for a whole test run, in a temporary folder, and makes the database that instances clone.
 */
export async function startTestServices(): Promise<RunningTestServices> {
  const folder = mkdtempSync(join(tmpdir(), 'bobine-test-'))
  chmodSync(folder, 0o711)
  const [postgres, redis] = await Promise.all([
    startPostgres(folder, {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      wal_level: 'minimal',
      max_wal_senders: '0',
      autovacuum: 'off',
      jit: 'off',
      max_connections: '300'
    }),
    startRedis(folder)
  ])
  const { host, port, username } = postgres.address
  await makeTemplate(postgres.address)
  const services: TestServices = { postgres: { host, port, username, template: TEMPLATE }, redis: redis.address }
  return {
    ...services,
    environment: { [SERVICES_VARIABLE]: JSON.stringify(services) },
    stop: startCleanupWatchdog(folder, postgres.pid, redis.pid)
  }
}

/** A database with every migration, which Postgres copies faster than they run. */
async function makeTemplate({ host, port, username }: PostgresAddress): Promise<void> {
  const client = new pg.Client({ host, port, user: username, database: 'postgres' })
  await client.connect()
  try {
    await client.query(`CREATE DATABASE ${TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'`)
  } finally {
    await client.end()
  }
  loadConfig({ overrides: { database: { hostname: host, port, name: TEMPLATE, username }, log: { level: 'error' } } })
  configureLogger()
  await connectDatabase()
  try {
    await migrateDatabase()
  } finally {
    await disconnectDatabase()
  }
}

/** Of this process: projects of one run share their services. */
const shared = globalThis as { bobineTestServices?: { users: number; services: ReturnType<typeof startTestServices> } }

/** Vitest's global set-up of every project that needs services: those of `scripts/test`, or some of its own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env[SERVICES_VARIABLE]
  if (given) {
    provide(project, JSON.parse(given) as TestServices)
    return async () => undefined
  }
  const run = (shared.bobineTestServices ??= { users: 0, services: startTestServices() })
  run.users++
  const { stop, ...services } = await run.services
  provide(project, services)
  return async () => {
    if (--run.users === 0) await stop()
  }
}

function provide(project: TestProject, { postgres, redis }: TestServices): void {
  project.provide('postgres', postgres)
  project.provide('redis', redis)
}
