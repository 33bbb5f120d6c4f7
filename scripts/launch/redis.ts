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

const PERSUASION: SignalEscalation = [
  ['SIGTERM', 1000],
  ['SIGKILL', 1000]
]

/**
 * Starts the private Redis of a data folder on a Unix socket only. Nothing of it is written to disk: whatever it holds can be made
 * again from Postgres. Refuses with a sentence.
 */
export async function startRedis(data: string, signal?: AbortSignal): Promise<SupervisedService & { address: { socket: string } }> {
  const log = join(data, 'logs', 'redis.log')
  const mark = join(data, 'run', 'redis.json')
  const socket = join(ensureSocketFolder(data, 'redis'), 'redis.sock')
  mkdirSync(dirname(log), { recursive: true })
  const program = findRedisProgram()
  await terminateLeftoverProcess(mark, PERSUASION)
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
  if (child.pid) writePidFile(mark, child.pid)
  const stop = async () => {
    const alive = identifyProcess(child.pid!)
    if (alive) await terminateProcess(alive, PERSUASION)
    await ended
    rmSync(mark, { force: true })
  }
  const answer = await Promise.race([ready(socket, signal), ended])
  if (answer === true) return { pid: child.pid!, address: { socket }, ended, stop }
  if (answer === false) {
    await stop()
    throw new CliError('Stopped')
  }
  throw new CliError(`Redis did not start (${answer}); the end of ${log}:\n${readLastLogLines(log)}`)
}

/** True when it answers; false when `signal` came first. */
async function ready(socket: string, signal: AbortSignal | undefined): Promise<boolean> {
  while (!signal?.aborted) {
    if (await answers(socket)) return true
    await sleep(20)
  }
  return false
}

function answers(socket: string): Promise<boolean> {
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
