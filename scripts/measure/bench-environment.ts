import { fork, type ChildProcess } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { projectFolder } from '../../server/core/config.ts'
import { startCleanupWatchdog } from '../launch/cleanup-watchdog.ts'
import { startPostgres } from '../launch/postgres.ts'
import { waitForExit } from '../launch/process.ts'
import { startRedis } from '../launch/redis.ts'
import { SERVER_NODE_FLAGS, SERVER_THREAD_POOL_ENV } from '../launch/server-process.ts'
import { findFreePort } from '../launch/free-port.ts'

const UNLIMITED = { window: '10 seconds', max: 1_000_000_000 }
/** The administrator's password in the bench environment. */
export const BENCH_ROOT_PASSWORD = 'measured-password'

/** A running server: its URL, its pid, and the time (ms) from its start to listening. */
export interface BenchServer {
  url: string
  pid: number
  readyAfter: number
  stop: () => Promise<void>
}

/** A Postgres, a Redis and a folder for measurements; `serve` starts the real server on them with more configuration. */
export interface BenchEnvironment {
  folder: string
  config: (overrides?: object) => Promise<Record<string, unknown>>
  serve: (overrides?: object, options?: { args?: string[]; env?: Record<string, string> }) => Promise<BenchServer>
  remove: () => Promise<void>
}

/** Creates a bench environment in a temporary folder. Its Postgres has the default settings, durability included. */
export async function createBenchEnvironment(): Promise<BenchEnvironment> {
  const folder = mkdtempSync(join(tmpdir(), 'bobine-bench-'))
  chmodSync(folder, 0o711)
  const [postgres, redis] = await Promise.all([startPostgres(folder), startRedis(folder)])
  const stopServices = startCleanupWatchdog(folder, postgres.pid, redis.pid)
  const running = new Set<BenchServer>()
  const remove = async () => {
    for (const server of running) await server.stop()
    await stopServices()
  }
  const config = async (overrides: object = {}) => {
    const port = await findFreePort()
    return {
      listen: { port },
      webserver: { https: false, hostname: '127.0.0.1', port },
      storage: { root: folder },
      log: { level: 'error' },
      database: { hostname: postgres.address.host, username: postgres.address.username, name: postgres.address.name },
      redis: { socket: redis.address.socket },
      rates_limit: Object.fromEntries(['api', 'login', 'upload', 'client', 'files'].map(name => [name, UNLIMITED])),
      ...overrides
    }
  }
  const serve: BenchEnvironment['serve'] = async (
    { internals, ...overrides }: { internals?: object } = {},
    { args = [], env: extraEnv = {} } = {}
  ) => {
    const env = {
      ...process.env,
      ...SERVER_THREAD_POOL_ENV,
      DATABASE_URL: '',
      REDIS_URL: '',
      BOBINE_CONFIG: JSON.stringify(await config(overrides)),
      BOBINE_INTERNALS: JSON.stringify(internals ?? {}),
      BOBINE_ROOT_PASSWORD: BENCH_ROOT_PASSWORD,
      ...extraEnv
    }
    const began = performance.now()
    const child = fork(join(projectFolder, 'dist/server/main.js'), args, {
      env,
      execArgv: SERVER_NODE_FLAGS,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    const url = await waitUntilReady(child)
    const server: BenchServer = {
      url,
      pid: child.pid!,
      readyAfter: performance.now() - began,
      stop: async () => {
        running.delete(server)
        child.kill('SIGTERM')
        await ended
      }
    }
    const ended = waitForExit(child)
    running.add(server)
    return server
  }
  return { folder, config, serve, remove }
}

function waitUntilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: { type: string; url?: string; message?: string }) => {
      if (message.type === 'ready') resolve(message.url!)
      else reject(new Error(message.message))
    })
    child.once('exit', code => reject(new Error(`the server ended (${code})`)))
  })
}

/** The peak resident memory of a process, in MiB. */
export function peakMemoryMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}
