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

/** What the server tells when it is up; `login` only when this start made the administrator. */
export interface ServerReady {
  url?: string
  login?: { username: string; password: string }
}

/** How to run the server: its file, its parameters, its environment, its working folder, the file that keeps its mark and its log. */
export interface ServerCommand {
  file: string
  parameters: string[]
  env: NodeJS.ProcessEnv
  cwd: string
  mark: string
  log: string
}

/**
 * Node's flags for the server: with V8's usual young generation (16 MB, three times) an idle server holds a sixth more memory; with less,
 * floods cost more.
 */
export const SERVER_NODE_FLAGS = ['--max-semi-space-size=8']
/** Threads beside the event loop: names that are slow to resolve hold some of them, signatures and files need others. */
export const SERVER_THREAD_POOL_ENV = { UV_THREADPOOL_SIZE: '16' }

/** The server finishes running requests and gives its jobs back after SIGTERM. */
const PERSUASION: SignalEscalation = [
  ['SIGTERM', 6000],
  ['SIGKILL', 1000]
]

/** Ends a server that a killed launcher left behind. */
export async function terminateLeftoverServer(mark: string): Promise<void> {
  await terminateLeftoverProcess(mark, PERSUASION)
}

/**
 * Starts the server in a process group of its own and resolves when it says that it is ready. Refuses with the server's own sentence
 * when it says that it failed.
 */
export async function startServerProcess(command: ServerCommand, signal: AbortSignal): Promise<SupervisedService & { ready: ServerReady }> {
  const out = openLogFile(command.log)
  const child = fork(command.file, command.parameters, {
    cwd: command.cwd,
    env: { ...SERVER_THREAD_POOL_ENV, ...command.env },
    detached: true,
    execArgv: SERVER_NODE_FLAGS,
    stdio: ['ignore', out, out, 'ipc']
  })
  closeSync(out)
  const ended = waitForExit(child).then(how => {
    endGroup(child.pid)
    return how
  })
  const mark = child.pid ? identifyProcess(child.pid) : undefined
  if (child.pid) writePidFile(command.mark, child.pid)
  const stop = async () => {
    if (mark && isProcessAlive(mark)) await terminateProcess(mark, PERSUASION)
    await ended
    rmSync(command.mark, { force: true })
  }
  const answer = await new Promise<ServerReady | string>(resolve => {
    child.on('message', (message: { type?: unknown; message?: unknown } & ServerReady) => {
      if (message?.type === 'ready') resolve(message)
      if (message?.type === 'failed') resolve(String(message.message))
    })
    // Its last words may still be on their way when it has already ended.
    void Promise.all([ended, channelClosed(child)]).then(([how]) =>
      resolve(`The server ended before it was ready (${how}); the end of ${command.log}:\n${readLastLogLines(command.log, 10)}`)
    )
    signal.addEventListener('abort', () => resolve('Stopped'), { once: true })
  })
  if (typeof answer !== 'string') return { pid: child.pid!, ended, stop, ready: answer }
  await stop()
  throw new CliError(answer)
}

function channelClosed(child: ChildProcess): Promise<void> {
  return new Promise(resolve => (child.connected ? child.once('disconnect', resolve) : resolve()))
}

/**
 * What the server started (ffmpeg) and left running when it was killed; the group's number cannot be anybody else's while it has members.
 */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    /* nobody is left in it */
  }
}
