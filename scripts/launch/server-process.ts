import { fork, type ChildProcess } from 'node:child_process'
import { closeSync, rmSync } from 'node:fs'
import type { SupervisedService } from './supervise.ts'
import {
  terminateLeftoverProcess,
  terminateProcess,
  waitForExit,
  isProcessAlive,
  readLastLogLines,
  identifyProcess,
  openLogFile,
  writePidFile,
  type SignalEscalation
} from './process.ts'
import { CliError } from './cli-error.ts'

/** The message of a server that is ready; `login` only when this start created the administrator. */
export interface ServerReady {
  url?: string
  login?: { username: string; password: string }
}

/** How to run the server: its file, parameters, environment, working folder, pid file and log file. */
export interface ServerCommand {
  file: string
  parameters: string[]
  env: NodeJS.ProcessEnv
  cwd: string
  pidFile: string
  log: string
}

/**
 * Node's flags for the server: with V8's default young generation (16 MB, three times) an idle server uses a sixth more memory; with a
 * smaller one, bursts of requests cost more.
 */
export const SERVER_NODE_FLAGS = ['--max-semi-space-size=8']
/** Threads of libuv's pool: slow DNS lookups occupy some of them, signatures and files need others. */
export const SERVER_THREAD_POOL_ENV = { UV_THREADPOOL_SIZE: '16' }

/** After SIGTERM the server finishes running requests and returns its jobs to the queue. */
const SHUTDOWN_SIGNALS: SignalEscalation = [
  ['SIGTERM', 6000],
  ['SIGKILL', 1000]
]

/** Terminates a server that a killed launcher left behind. */
export async function terminateLeftoverServer(pidFile: string): Promise<void> {
  await terminateLeftoverProcess(pidFile, SHUTDOWN_SIGNALS)
}

/**
 * Starts the server in a process group of its own and resolves when it is ready. Throws CliError with the server's own message when it
 * fails.
 */
export async function startServerProcess(command: ServerCommand, signal: AbortSignal): Promise<SupervisedService & { ready: ServerReady }> {
  const logFd = openLogFile(command.log)
  const child = fork(command.file, command.parameters, {
    cwd: command.cwd,
    env: { ...SERVER_THREAD_POOL_ENV, ...command.env },
    detached: true,
    execArgv: SERVER_NODE_FLAGS,
    stdio: ['ignore', logFd, logFd, 'ipc']
  })
  closeSync(logFd)
  const ended = waitForExit(child).then(exitReason => {
    killProcessGroup(child.pid)
    return exitReason
  })
  const identity = child.pid ? identifyProcess(child.pid) : undefined
  if (child.pid) writePidFile(command.pidFile, child.pid)
  const stop = async () => {
    if (identity && isProcessAlive(identity)) await terminateProcess(identity, SHUTDOWN_SIGNALS)
    await ended
    rmSync(command.pidFile, { force: true })
  }
  const outcome = await new Promise<ServerReady | string>(resolve => {
    child.on('message', (message: { type?: unknown; message?: unknown } & ServerReady) => {
      if (message?.type === 'ready') resolve(message)
      if (message?.type === 'failed') resolve(String(message.message))
    })
    // Its last messages may still arrive after it has ended.
    void Promise.all([ended, waitForChannelClose(child)]).then(([exitReason]) =>
      resolve(`The server ended before it was ready (${exitReason}); the end of ${command.log}:\n${readLastLogLines(command.log, 10)}`)
    )
    signal.addEventListener('abort', () => resolve('Stopped'), { once: true })
  })
  if (typeof outcome !== 'string') return { pid: child.pid!, ended, stop, ready: outcome }
  await stop()
  throw new CliError(outcome)
}

function waitForChannelClose(child: ChildProcess): Promise<void> {
  return new Promise(resolve => (child.connected ? child.once('disconnect', resolve) : resolve()))
}

/** Kills the children of a killed server (ffmpeg); the id of the process group cannot be reused while the group has members. */
function killProcessGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    /* the group is empty */
  }
}
