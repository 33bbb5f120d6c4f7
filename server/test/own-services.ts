import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startCleanupWatchdog } from '../../scripts/launch/cleanup-watchdog.ts'
import { startPostgres } from '../../scripts/launch/postgres.ts'
import { startRedis } from '../../scripts/launch/redis.ts'

const exec = promisify(execFile)

/** A service that a test may stop: SIGSTOP, SIGCONT, SIGKILL for it and its child processes; `start` starts a killed one on the same data. */
export type OwnService = { freeze(): Promise<void>; resume(): Promise<void>; kill(): Promise<void>; start(): Promise<void> }

/** A Postgres and a Redis of one test alone; `config` are the settings of an instance that uses them. */
export type OwnServices = { postgres: OwnService; redis: OwnService; config: Record<string, object>; stop(): Promise<void> }

/** Starts a Postgres and a Redis that a test may freeze and kill; to be stopped in afterAll. */
export async function startOwnServices(): Promise<OwnServices> {
  const folder = mkdtempSync(join(tmpdir(), 'bobine-services-'))
  chmodSync(folder, 0o711)
  const [postgres, redis] = await Promise.all([
    openService(async () => await startPostgres(folder, { jit: 'off' })),
    openService(async () => await startRedis(folder))
  ])
  const { host, port, username, name } = postgres.running().address as { host: string; port: number; username: string; name: string }
  // Ends both also when this process is killed; those that were started again are ended by `stop` alone.
  const removeFolder = startCleanupWatchdog(folder, postgres.running().pid, redis.running().pid)
  return {
    postgres: postgres.service,
    redis: redis.service,
    config: { database: { hostname: host, port, name, username }, redis: redis.running().address },
    stop: async () => {
      for (const { service, running } of [postgres, redis]) {
        await service.resume()
        await running().stop()
      }
      await removeFolder()
    }
  }
}

type RunningService = { pid: number; address: object; ended: Promise<string>; stop(): Promise<void> }

async function openService(start: () => Promise<RunningService>): Promise<{ service: OwnService; running: () => RunningService }> {
  let running = await start()
  const signal = async (name: NodeJS.Signals) => {
    for (const pid of [running.pid, ...(await childrenOf(running.pid))]) {
      try {
        process.kill(pid, name)
      } catch {
        // It has ended.
      }
    }
  }
  return {
    running: () => running,
    service: {
      freeze: async () => await signal('SIGSTOP'),
      resume: async () => await signal('SIGCONT'),
      kill: async () => {
        await signal('SIGKILL')
        await running.ended
      },
      start: async () => {
        running = await start()
      }
    }
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await exec('ps', ['-o', 'pid=', '--ppid', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.split('\n').filter(Boolean).map(Number)
}
