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

/** The address of the private Postgres; `host` is the folder of its socket. */
export interface PostgresAddress {
  host: string
  port: number
  name: string
  username: string
}

/** SIGINT is Postgres' fast shutdown, SIGQUIT its immediate one (recovers from the WAL at the next start). */
const SHUTDOWN_SIGNALS: SignalEscalation = [
  ['SIGINT', 2000],
  ['SIGQUIT', 500],
  ['SIGKILL', 1000]
]
const PORT = 5432
const OWNER = 'bobine'

/**
 * Starts the private Postgres of a data folder: creates its cluster at the first start, terminates one that a killed launcher left, listens
 * on a Unix socket only. `settings` are server settings, such as fsync in tests. Throws CliError, also when `signal` aborts.
 */
export async function startPostgres(
  data: string,
  settings: Record<string, string> = {},
  signal?: AbortSignal
): Promise<SupervisedService & { address: PostgresAddress }> {
  const cluster = join(data, 'postgres')
  const log = join(data, 'logs', 'postgres.log')
  const pidFile = join(data, 'run', 'postgres.json')
  const account = findPostgresAccount(cluster)
  const host = ensureSocketFolder(data, 'pg', account)
  mkdirSync(dirname(log), { recursive: true })
  const programsFolder = findPostgresFolder(clusterVersion(cluster))
  await terminateLeftoverProcess(pidFile, SHUTDOWN_SIGNALS)
  await terminateUntrackedPostgres(cluster)
  if (!existsSync(cluster)) initCluster(programsFolder, cluster, account)

  const serverSettings = {
    listen_addresses: '',
    unix_socket_directories: host,
    unix_socket_permissions: '0700',
    port: String(PORT),
    logging_collector: 'off',
    log_destination: 'stderr',
    ...settings
  }
  const flags = Object.entries(serverSettings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  // The shared memory of a killed Postgres is freed only when its last child has exited; until then a new one refuses to start.
  for (let attemptsLeft = 50; ; attemptsLeft--) {
    const [command, ...parameters] = [...(account?.prefix ?? []), join(programsFolder, 'postgres'), '-D', cluster, ...flags]
    const child = spawnWithLog(command!, parameters, log, { ...account?.options, env: environmentWithoutPostgres() })
    const ended = waitForExit(child)
    if (child.pid) writePidFile(pidFile, child.pid)
    const address = { host, port: PORT, name: OWNER, username: OWNER }
    const outcome = await Promise.race([waitUntilReady(address, signal), ended])
    if (outcome === true) return { pid: child.pid!, address, ended, stop: () => stop(child.pid!, ended, pidFile) }
    if (outcome === false) {
      await stop(child.pid!, ended, pidFile)
      throw new CliError('Stopped')
    }
    const lastLines = readLastLogLines(log, 4)
    if (attemptsLeft === 0 || !/shared memory block|lock file/.test(lastLines))
      throw new CliError(`PostgreSQL did not start (${outcome}); the end of ${log}:\n${lastLines}`)
    await sleep(100)
  }
}

/** Returns the address of the private Postgres of a data folder, which need not run. */
export function privatePostgresAddress(data: string): PostgresAddress {
  const host = ensureSocketFolder(data, 'pg', findPostgresAccount(join(data, 'postgres')))
  return { host, port: PORT, name: OWNER, username: OWNER }
}

async function stop(pid: number, ended: Promise<string>, pidFile: string): Promise<void> {
  const identity = identifyProcess(pid)
  if (identity) await terminateProcess(identity, SHUTDOWN_SIGNALS)
  await ended
  rmSync(pidFile, { force: true })
}

/** Terminates a Postgres of exactly this cluster whose pid file was lost; removes a lock file that names another process. */
async function terminateUntrackedPostgres(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  if (!existsSync(file)) return
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  const identity = pid > 1 ? identifyProcess(pid) : undefined
  const command = identity && spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout
  if (identity && command?.includes(`-D ${cluster}`)) await terminateProcess(identity, SHUTDOWN_SIGNALS)
  if (!identity || !isProcessAlive(identity) || !command?.includes(cluster)) rmSync(file, { force: true })
}

function clusterVersion(cluster: string): string | undefined {
  try {
    return readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim()
  } catch {
    return undefined
  }
}

function initCluster(programsFolder: string, cluster: string, account: SystemAccount | undefined): void {
  // Created beside its final path and renamed, so that a killed start leaves no incomplete cluster.
  const temporaryFolder = `${cluster}.new`
  rmSync(temporaryFolder, { recursive: true, force: true })
  mkdirSync(temporaryFolder, { mode: 0o700 })
  if (account) chownSync(temporaryFolder, account.uid, account.gid)
  const [command, ...parameters] = [
    ...(account?.prefix ?? []),
    join(programsFolder, 'initdb'),
    '-D',
    temporaryFolder,
    '--encoding=UTF8',
    `--locale=${findUtf8Locale()}`,
    '--username=postgres',
    '--auth-local=trust',
    '--auth-host=reject',
    '--no-instructions'
  ]
  const result: SpawnSyncReturns<string> = spawnSync(command!, parameters, {
    ...account?.options,
    cwd: '/',
    encoding: 'utf8',
    env: environmentWithoutPostgres()
  })
  if (result.status !== 0)
    throw new CliError(`PostgreSQL's cluster could not be made in ${cluster}: ${result.error?.message ?? result.stderr.trim()}`)
  renameSync(temporaryFolder, cluster)
}

/** A locale with Unicode upper and lower case. */
function findUtf8Locale(): string {
  const available = spawnSync('locale', ['-a'], { encoding: 'utf8' }).stdout?.split('\n') ?? []
  return ['C.UTF-8', 'C.utf8', 'en_US.UTF-8', 'en_US.utf8'].find(name => available.includes(name)) ?? 'C'
}

/** PGDATA, PGPORT and the like belong to another Postgres. */
function environmentWithoutPostgres(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(PG|LC_|LANG)/.test(key)))
}

/** Waits until the database accepts connections, and creates it; returns false when `signal` aborts first. */
async function waitUntilReady(address: PostgresAddress, signal: AbortSignal | undefined): Promise<boolean> {
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
