import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { projectFolder } from './config.ts'
import { acquireLock } from './locks.ts'
import { transaction } from './transaction.ts'
import { logger } from './logger.ts'
import { runQuery, Sql, sql } from './sql.ts'

/** Runs every file of migrations/ that has not run yet, in order, in one transaction: all of them or none. */
export async function migrateDatabase(): Promise<void> {
  const folder = join(projectFolder, 'migrations')
  await transaction(async tx => {
    // An index of a large table takes as long as it takes, also for a process that waits for the one that makes it.
    await runQuery(sql`SET LOCAL statement_timeout = 0`, tx)
    await acquireLock('MIGRATE', tx)
    await runQuery(sql`CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now())`, tx)
    const files = (await readdir(folder)).filter(name => name.endsWith('.sql')).sort()
    const readExecutedNames = async (): Promise<string[]> =>
      (await runQuery<{ name: string }>(sql`SELECT name FROM migrations ORDER BY name`, tx)).map(row => row.name)
    const executedNames = new Set(await readExecutedNames())
    if (files.every(name => executedNames.has(name))) return
    const { Umzug } = await import('umzug')
    // All in the transaction that holds the lock: a failure leaves the database unchanged.
    const umzug = new Umzug({
      migrations: files.map(name => ({
        name,
        up: async () => {
          logger.info('Migrating the database', { migration: name })
          await runQuery(new Sql([await readFile(join(folder, name), 'utf8')], []), tx)
        }
      })),
      storage: {
        executed: readExecutedNames,
        logMigration: async ({ name }) => {
          await runQuery(sql`INSERT INTO migrations (name) VALUES (${name})`, tx)
        },
        unlogMigration: async ({ name }) => {
          await runQuery(sql`DELETE FROM migrations WHERE name = ${name}`, tx)
        }
      },
      logger: undefined
    })
    await umzug.up()
  })
}
