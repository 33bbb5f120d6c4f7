import { chmodSync, mkdirSync, mkdtempSync } from 'node:fs'
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
   * The Postgres and the Redis of this test run, for `inject('postgres')` and `inject('redis')`; `host` is the folder of a Unix socket,
   * `template` a migrated database to clone.
   */
  interface ProvidedContext {
    postgres: Pick<PostgresAddress, 'host' | 'port' | 'username'> & { template: string }
    redis: { socket: string }
    /** A folder with an empty file for each upload whose published media were checked in this run (published-media.ts). */
    checkedMedia: string
  }
}

/** The addresses of the services of a test run. */
export type TestServices = Pick<import('vitest').ProvidedContext, 'postgres' | 'redis' | 'checkedMedia'>

/** Running services; `environment` passes their addresses to vitest processes, `stop` ends them. */
export type RunningTestServices = TestServices & { environment: Record<string, string>; stop(): Promise<void> }

/** The environment variable with which `scripts/test` passes the addresses of its services to vitest processes, as JSON. */
const SERVICES_VARIABLE = 'BOBINE_TEST_SERVICES'

const TEMPLATE = 'bobine_migrated'

/**
 * Starts one Postgres and one Redis for a whole test run, in a temporary folder, and creates the database that instances clone. Postgres
 * runs without durability and without autovacuum, whose workers would block the dropping of databases.
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
  await createTemplateDatabase(postgres.address)
  const checkedMedia = join(folder, 'checked-media')
  mkdirSync(checkedMedia)
  const services: TestServices = { checkedMedia, postgres: { host, port, username, template: TEMPLATE }, redis: redis.address }
  return {
    ...services,
    environment: { [SERVICES_VARIABLE]: JSON.stringify(services) },
    stop: startCleanupWatchdog(folder, postgres.pid, redis.pid)
  }
}

/** Creates a database with every migration: Postgres copies it faster than the migrations run. */
async function createTemplateDatabase({ host, port, username }: PostgresAddress): Promise<void> {
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

/** The services of this process, shared by all vitest projects of a run. */
const shared = globalThis as { bobineTestServices?: { users: number; services: ReturnType<typeof startTestServices> } }

/** Vitest's global setup of projects that need services: provides those of `scripts/test`, or starts its own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const inherited = process.env[SERVICES_VARIABLE]
  if (inherited) {
    provide(project, JSON.parse(inherited) as TestServices)
    return async () => undefined
  }
  const sharedRun = (shared.bobineTestServices ??= { users: 0, services: startTestServices() })
  sharedRun.users++
  const { stop, ...services } = await sharedRun.services
  provide(project, services)
  return async () => {
    if (--sharedRun.users === 0) await stop()
  }
}

function provide(project: TestProject, { postgres, redis, checkedMedia }: TestServices): void {
  project.provide('postgres', postgres)
  project.provide('redis', redis)
  project.provide('checkedMedia', checkedMedia)
}
