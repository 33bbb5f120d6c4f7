import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectFolder } from './config.ts'
import { acquireLock } from './locks.ts'
import { transaction } from './transaction.ts'
import { logger } from './logger.ts'
import { runQuery, Sql, sql } from './sql.ts'

/** Brings the database to this version: every file of migrations/ not yet run, in order; all of them or none. */
export async function migrateDatabase(): Promise<void> {
  const folder = join(projectFolder, 'migrations')
  await transaction(async lock => {
    await acquireLock('MIGRATE', lock)
    await runQuery(sql`CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now())`, lock)
    const files = (await readdir(folder)).filter(name => name.endsWith('.sql')).sort()
    const executed = async (): Promise<string[]> =>
      (await runQuery<{ name: string }>(sql`SELECT name FROM migrations ORDER BY name`, lock)).map(row => row.name)
    const known = new Set(await executed())
    if (files.every(name => known.has(name))) return
    const { Umzug } = await import('umzug')
    // All in the locking transaction: a failure leaves the database as it was before the start.
    const umzug = new Umzug({
      migrations: files.map(name => ({
        name,
        up: async () => {
          logger.info('Migrating the database', { migration: name })
          await runQuery(new Sql([await readFile(join(folder, name), 'utf8')], []), lock)
        }
      })),
      storage: {
        executed,
        logMigration: async ({ name }) => {
          await runQuery(sql`INSERT INTO migrations (name) VALUES (${name})`, lock)
        },
        unlogMigration: async ({ name }) => {
          await runQuery(sql`DELETE FROM migrations WHERE name = ${name}`, lock)
        }
      },
      logger: undefined
    })
    await umzug.up()
  })
}
