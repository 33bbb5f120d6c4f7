import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { findPostgresAccount, type SystemAccount } from './postgres-account.ts'
import { ensureSocketFolder } from './folders.ts'
import type { SupervisedService } from './supervise.ts'
import {
  terminateProcess,
  terminateLeftoverProcess,
  waitForExit,
  isProcessAlive,
  readLastLogLines,
  identifyProcess,
  spawnWithLog,
  writePidFile,
  type SignalEscalation
} from './process.ts'
import { findPostgresFolder } from './programs.ts'
import { CliError } from './cli-error.ts'

/** Where clients of the private Postgres connect: `host` is the folder of its socket. */
export interface PostgresAddress {
  host: string
  port: number
  name: string
  username: string
}

/** SIGINT is Postgres' fast shutdown, SIGQUIT its immediate one (repaired by the log at the next start). */
const PERSUASION: SignalEscalation = [
  ['SIGINT', 2000],
  ['SIGQUIT', 500],
  ['SIGKILL', 1000]
]
const PORT = 5432
const OWNER = 'bobine'

/**
 * Starts the private Postgres of a data folder: makes its cluster on the first day, ends what a killed launcher left, listens on a
 * Unix socket only. `settings` are server settings, as fsync in tests. Refuses with a sentence, also when `signal` aborts.
 */
export async function startPostgres(
  data: string,
  settings: Record<string, string> = {},
  signal?: AbortSignal
): Promise<SupervisedService & { address: PostgresAddress }> {
  const cluster = join(data, 'postgres')
  const log = join(data, 'logs', 'postgres.log')
  const mark = join(data, 'run', 'postgres.json')
  const account = findPostgresAccount(cluster)
  const host = ensureSocketFolder(data, 'pg', account)
  mkdirSync(dirname(log), { recursive: true })
  const programs = findPostgresFolder(clusterVersion(cluster))
  await terminateLeftoverProcess(mark, PERSUASION)
  await endUnmarked(cluster)
  if (!existsSync(cluster)) makeCluster(programs, cluster, account)

  const all = {
    listen_addresses: '',
    unix_socket_directories: host,
    unix_socket_permissions: '0700',
    port: String(PORT),
    logging_collector: 'off',
    log_destination: 'stderr',
    ...settings
  }
  const flags = Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  // The memory of a killed Postgres is only free once its last child has noticed; until then a new one refuses to start.
  for (let left = 50; ; left--) {
    const [command, ...parameters] = [...(account?.prefix ?? []), join(programs, 'postgres'), '-D', cluster, ...flags]
    const child = spawnWithLog(command!, parameters, log, { ...account?.options, env: plainEnvironment() })
    const ended = waitForExit(child)
    if (child.pid) writePidFile(mark, child.pid)
    const address = { host, port: PORT, name: OWNER, username: OWNER }
    const answer = await Promise.race([ready(address, signal), ended])
    if (answer === true) return { pid: child.pid!, address, ended, stop: () => stop(child.pid!, ended, mark) }
    if (answer === false) {
      await stop(child.pid!, ended, mark)
      throw new CliError('Stopped')
    }
    const lines = readLastLogLines(log, 4)
    if (left === 0 || !/shared memory block|lock file/.test(lines))
      throw new CliError(`PostgreSQL did not start (${answer}); the end of ${log}:\n${lines}`)
    await sleep(100)
  }
}

async function stop(pid: number, ended: Promise<string>, mark: string): Promise<void> {
  const alive = identifyProcess(pid)
  if (alive) await terminateProcess(alive, PERSUASION)
  await ended
  rmSync(mark, { force: true })
}

/** A Postgres of exactly this cluster whose mark was lost is ended; a lock file that names anybody else is removed. */
async function endUnmarked(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  const mark = pid > 1 ? identifyProcess(pid) : undefined
  const command = mark && spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout
  if (mark && command?.includes(`-D ${cluster}`)) await terminateProcess(mark, PERSUASION)
  if (!mark || !isProcessAlive(mark) || !command?.includes(cluster)) rmSync(file, { force: true })
}

function clusterVersion(cluster: string): string | undefined {
  try {
    return readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  } catch {
    return undefined
  }
}

function makeCluster(programs: string, cluster: string, account: SystemAccount | undefined): void {
  // Made beside its place and moved there whole, so that a killed start leaves no half of a cluster.
  const draft = `${cluster}.new`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { mode: 0o700 })
  if (account) chownSync(draft, account.uid, account.gid)
  const [command, ...parameters] = [
    ...(account?.prefix ?? []),
    join(programs, 'initdb'),
    '-D',
    draft,
    '--encoding=UTF8',
    `--locale=${locale()}`,
    '--username=postgres',
    '--auth-local=trust',
    '--auth-host=reject',
    '--no-instructions'
  ]
  const result: SpawnSyncReturns<string> = spawnSync(command!, parameters, {
    ...account?.options,
    cwd: '/',
    encoding: 'utf8',
    env: plainEnvironment()
  })
  if (result.status !== 0)
    throw new CliError(`PostgreSQL's cluster could not be made in ${cluster}: ${result.error?.message ?? result.stderr.trim()}`)
  renameSync(draft, cluster)
}

/** A locale whose upper and lower case know more than ASCII. */
function locale(): string {
  const known = spawnSync('locale', ['-a'], { encoding: 'utf8' }).stdout?.split('\n') ?? []
  return ['C.UTF-8', 'C.utf8', 'en_US.UTF-8', 'en_US.utf8'].find(name => known.includes(name)) ?? 'C'
}

/** PGDATA, PGPORT and their like belong to somebody else's Postgres. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(PG|LC_|LANG)/.test(key)))
}

/** True when the database is there; false when `signal` came first. */
async function ready(address: PostgresAddress, signal: AbortSignal | undefined): Promise<boolean> {
  while (!signal?.aborted) {
    const client = new pg.Client({
      host: address.host,
      port: address.port,
      user: 'postgres',
      database: 'postgres',
      connectionTimeoutMillis: 2000
    })
    client.on('error', () => {})
    try {
      await client.connect()
      const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [OWNER])
      if (role.rowCount === 0) await client.query('CREATE ROLE bobine LOGIN CREATEDB')
      const database = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [OWNER])
      if (database.rowCount === 0) await client.query('CREATE DATABASE bobine OWNER bobine')
      return true
    } catch {
      await sleep(30)
    } finally {
      await client.end().catch(() => {})
    }
  }
  return false
}
