import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findFreePort } from '../../../scripts/launch/free-port.ts'
import { startProcess } from '../../app/process.ts'
import { loadConfig } from '../../core/config.ts'
import { responseValidation } from '../../core/route.ts'
import { createTestClient, deepMerge, testInstanceConfig, withTestDatabase, type TestInstance } from '../instance.ts'
import { overrideTestInternals, type InternalsOverrides } from '../internals.ts'
import { RECORDED_FOLLOWER, RECORDED_ORIGIN, type RecordedInstance } from './recorded-instance.ts'

const exec = promisify(execFile)

/** Tables whose rows come and go while an instance runs. */
const MACHINERY = new Set(
  'changes deliveries incoming oauth_tokens object_refreshes outgoing peers view_hosts view_marks wanted_follows'.split(' ')
)
const CRAWL_TIME = /^outbox_|(?<!^(created|updated|published|deleted))_at$/

/** A recorded instance of an old version that this version runs. */
export type UpgradedInstance = Pick<TestInstance, 'url' | 'call'> & {
  login(username: string, password: string): Promise<string>
  /** Starts this version on the data; `url` and `call` work from then on. */
  start(): Promise<void>
  /** Ends the process and keeps the data. */
  halt(): Promise<void>
  /** All rows that people made, by table, as sorted lines of JSON without the times of crawls. */
  readRows(): Promise<Record<string, string[]>>
  stop(): Promise<void>
}

/** Reads what is recorded beside the data of an old instance; `followerHost` takes the place of its follower's host. */
export async function readRecordedInstance(commit: string, followerHost: string): Promise<RecordedInstance> {
  const text = await readFile(join(import.meta.dirname, commit, 'recorded.json'), 'utf8')
  return JSON.parse(text.replaceAll(RECORDED_FOLLOWER, followerHost)) as RecordedInstance
}

/** Restores the database and the files of an old instance, whose follower is at `followerHost` now. */
export async function restoreRecordedInstance(
  commit: string,
  followerHost: string,
  internals: InternalsOverrides
): Promise<UpgradedInstance> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const folder = await mkdtemp(join(tmpdir(), 'bobine-upgraded-'))
  await exec('tar', ['-C', folder, '-xzf', join(import.meta.dirname, commit, 'instance.tar.gz')])
  const statements = (await readFile(join(folder, 'dump.sql'), 'utf8')).replaceAll(RECORDED_FOLLOWER, followerHost)
  await withTestDatabase(async client => await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`))
  await withTestDatabase(async client => {
    await client.query(statements)
    await client.query('RESET search_path')
    // The record is as fresh as on its first day: nothing has to be fetched again because of its age.
    await client.query('UPDATE actors SET refreshed_at = now() WHERE host IS NOT NULL')
    await client.query('UPDATE videos SET refreshed_at = now() WHERE remote')
  }, name)
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  let running: Awaited<ReturnType<typeof startProcess>> | null = null
  const halt = async () => {
    await running?.stop()
    running = null
  }
  return {
    url,
    ...(await createTestClient(url)),
    start: async () => {
      const webserver = { hostname: new URL(RECORDED_ORIGIN).hostname, port: 80 }
      const more = { webserver, storage: { root: join(folder, 'storage') }, transcoding: { web_videos: { enabled: true } } }
      loadConfig({ overrides: deepMerge(testInstanceConfig(name, folder, port), more) })
      overrideTestInternals(internals)
      responseValidation.checked = true
      running = await startProcess(['web', 'worker'])
    },
    halt,
    readRows: async () =>
      await withTestDatabase(async client => {
        const tables = await client.query<{ name: string }>(
          "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
        const rows: Record<string, string[]> = {}
        for (const { name: table } of tables.rows.filter(row => !MACHINERY.has(row.name))) {
          const { rows: found } = await client.query<{ row: object }>(`SELECT to_jsonb(t) AS row FROM ${table} t`)
          rows[table] = found.map(({ row }) => JSON.stringify(row, (key, value) => (CRAWL_TIME.test(key) ? undefined : value))).sort()
        }
        return rows
      }, name),
    stop: async () => {
      await halt()
      await withTestDatabase(async client => await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
      await rm(folder, { recursive: true, force: true })
    }
  }
}
