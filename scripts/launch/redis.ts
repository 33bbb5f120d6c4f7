import { mkdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureSocketFolder } from './folders.ts'
import type { SupervisedService } from './supervise.ts'
import {
  terminateProcess,
  terminateLeftoverProcess,
  waitForExit,
  readLastLogLines,
  identifyProcess,
  spawnWithLog,
  writePidFile,
  type SignalEscalation
} from './process.ts'
import { findRedisProgram } from './programs.ts'
import { CliError } from './cli-error.ts'

const SHUTDOWN_SIGNALS: SignalEscalation = [
  ['SIGTERM', 1000],
  ['SIGKILL', 1000]
]

/**
 * Starts the private Redis of a data folder on a Unix socket only, without persistence: its contents can be rebuilt from Postgres. Throws
 * CliError.
 */
export async function startRedis(data: string, signal?: AbortSignal): Promise<SupervisedService & { address: { socket: string } }> {
  const log = join(data, 'logs', 'redis.log')
  const pidFile = join(data, 'run', 'redis.json')
  const socket = join(ensureSocketFolder(data, 'redis'), 'redis.sock')
  mkdirSync(dirname(log), { recursive: true })
  const program = findRedisProgram()
  await terminateLeftoverProcess(pidFile, SHUTDOWN_SIGNALS)
  rmSync(socket, { force: true })
  const child = spawnWithLog(
    program,
    [
      '--port',
      '0',
      '--unixsocket',
      socket,
      '--unixsocketperm',
      '700',
      '--save',
      '',
      '--appendonly',
      'no',
      '--maxmemory-policy',
      'noeviction',
      '--daemonize',
      'no',
      '--dir',
      dirname(socket)
    ],
    log
  )
  const ended = waitForExit(child)
  if (child.pid) writePidFile(pidFile, child.pid)
  const stop = async () => {
    const identity = identifyProcess(child.pid!)
    if (identity) await terminateProcess(identity, SHUTDOWN_SIGNALS)
    await ended
    rmSync(pidFile, { force: true })
  }
  const outcome = await Promise.race([waitUntilReady(socket, signal), ended])
  if (outcome === true) return { pid: child.pid!, address: { socket }, ended, stop }
  if (outcome === false) {
    await stop()
    throw new CliError('Stopped')
  }
  throw new CliError(`Redis did not start (${outcome}); the end of ${log}:\n${readLastLogLines(log)}`)
}

/** Waits until it responds; returns false when `signal` aborts first. */
async function waitUntilReady(socket: string, signal: AbortSignal | undefined): Promise<boolean> {
  while (!signal?.aborted) {
    if (await respondsToPing(socket)) return true
    await sleep(20)
  }
  return false
}

function respondsToPing(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const connection = connect(socket, () => connection.write('PING\r\n'))
    connection.setTimeout(1000, () => connection.destroy())
    connection.once('data', data => {
      resolve(data.toString().startsWith('+PONG'))
      connection.destroy()
    })
    connection.once('error', () => resolve(false))
    connection.once('close', () => resolve(false))
  })
}
