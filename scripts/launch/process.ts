import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from './cli-error.ts'

/** Identifies a process after a crash: a pid alone may have been reused. */
export interface ProcessIdentity {
  pid: number
  born: string
}

/** Signals with the milliseconds to wait after each, mildest first. */
export type SignalEscalation = [signal: NodeJS.Signals, ms: number][]

/** The start time of a process, in a form that is only good for comparison; undefined when there is no such process. */
export function processStartTime(pid: number): string | undefined {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() || undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; in a container without an init it may never be reaped.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${fields[19]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`
  } catch {
    return undefined
  }
}

/** The identity of a running process; undefined when it has ended. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const born = processStartTime(pid)
  return born === undefined ? undefined : { pid, born }
}

/** Whether exactly this process runs. */
export function isProcessAlive(identity: ProcessIdentity): boolean {
  return processStartTime(identity.pid) === identity.born
}

/** Writes the identity of a running process to `file`, for the next start to find. */
export function writePidFile(file: string, pid: number): void {
  const identity = identifyProcess(pid)
  if (identity) writeFileSync(file, JSON.stringify(identity))
}

/** Reads an identity from `file`; undefined when there is none or it is invalid. */
export function readPidFile(file: string): ProcessIdentity | undefined {
  try {
    const { pid, born } = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity
    return Number.isInteger(pid) && pid > 1 && typeof born === 'string' ? { pid, born } : undefined
  } catch {
    return undefined
  }
}

/** Terminates a process with one signal after the other; throws when it survives all of them. */
export async function terminateProcess(identity: ProcessIdentity, signals: SignalEscalation): Promise<void> {
  for (const [signal, ms] of signals) {
    if (!isProcessAlive(identity)) return
    try {
      process.kill(identity.pid, signal)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPERM')
        throw new CliError(`Process ${identity.pid}, left by an earlier start, belongs to another account: start as that account`)
      if (code !== 'ESRCH') throw error
    }
    for (const deadline = Date.now() + ms; Date.now() < deadline && isProcessAlive(identity);) await sleep(20)
  }
  if (isProcessAlive(identity)) throw new Error(`process ${identity.pid} does not end`)
}

/**
 * Terminates the process identified in `file`, left by a launcher that was killed, and removes the file. Returns whether that process still
 * ran.
 */
export async function terminateLeftoverProcess(file: string, signals: SignalEscalation): Promise<boolean> {
  const identity = readPidFile(file)
  const isRunning = identity !== undefined && isProcessAlive(identity)
  if (isRunning) await terminateProcess(identity, signals)
  rmSync(file, { force: true })
  return isRunning
}

/** Starts a child in a process group of its own (Ctrl-C in the terminal does not reach it), with its output in a log file. */
export function spawnWithLog(command: string, parameters: string[], log: string, options: SpawnOptions = {}): ChildProcess {
  const logFd = openLogFile(log)
  try {
    return spawn(command, parameters, { cwd: '/', detached: true, ...options, stdio: ['ignore', logFd, logFd] })
  } finally {
    closeSync(logFd)
  }
}

/** Resolves with a phrase such as 'exit 1' or 'SIGKILL' when the child has ended, or with the reason why it did not start. */
export function waitForExit(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`))
  })
}

/** The last lines of a log, for error messages. */
export function readLastLogLines(log: string, count = 3): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return ''
  }
}

const MAX_LOG_BYTES = 10 * 2 ** 20

/** Opens a log file for appending; renames a large one to `.1` first. */
export function openLogFile(log: string): number {
  try {
    if (statSync(log).size > MAX_LOG_BYTES) renameSync(log, `${log}.1`)
  } catch {
    /* there is no log yet */
  }
  return openSync(log, 'a', 0o600)
}
