import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError } from './cli-error.ts'

/** What it takes to recognise a process after a crash: a pid alone may have been given to somebody else. */
export interface ProcessIdentity {
  pid: number
  born: string
}

/** Signals with the milliseconds each is given to work, mildest first. */
export type SignalEscalation = [signal: NodeJS.Signals, ms: number][]

/** When the process was born, in a form that is only good for comparing; undefined when there is no such process. */
export function processStartTime(pid: number): string | undefined {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() || undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended; in a container without an init nobody may ever collect it.
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${fields[19]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`
  } catch {
    return undefined
  }
}

/** The mark of a running process, undefined when it has already ended. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const born = processStartTime(pid)
  return born === undefined ? undefined : { pid, born }
}

/** True while exactly this process runs. */
export function isProcessAlive(mark: ProcessIdentity): boolean {
  return processStartTime(mark.pid) === mark.born
}

/** Keeps the mark of a running process in `file`, for the next start to find. */
export function writePidFile(file: string, pid: number): void {
  const mark = identifyProcess(pid)
  if (mark) writeFileSync(file, JSON.stringify(mark))
}

/** The mark kept in `file`, undefined when there is none or it cannot be read. */
export function readPidFile(file: string): ProcessIdentity | undefined {
  try {
    const { pid, born } = JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity
    return Number.isInteger(pid) && pid > 1 && typeof born === 'string' ? { pid, born } : undefined
  } catch {
    return undefined
  }
}

/** Ends a process, each signal only after the one before did not help within its time; throws when nothing helps. */
export async function terminateProcess(mark: ProcessIdentity, persuasion: SignalEscalation): Promise<void> {
  for (const [signal, ms] of persuasion) {
    if (!isProcessAlive(mark)) return
    try {
      process.kill(mark.pid, signal)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPERM')
        throw new CliError(`Process ${mark.pid}, left by an earlier start, belongs to another account: start as that account`)
      if (code !== 'ESRCH') throw error
    }
    for (const until = Date.now() + ms; Date.now() < until && isProcessAlive(mark);) await sleep(20)
  }
  if (isProcessAlive(mark)) throw new Error(`process ${mark.pid} does not end`)
}

/** Ends the process marked in `file`, left by a launcher that was killed; does nothing when it is gone or somebody else's. */
export async function terminateLeftoverProcess(file: string, persuasion: SignalEscalation): Promise<boolean> {
  const mark = readPidFile(file)
  const found = mark !== undefined && isProcessAlive(mark)
  if (found) await terminateProcess(mark, persuasion)
  rmSync(file, { force: true })
  return found
}

/** A child in a process group of its own (Ctrl-C in the terminal does not reach it) with its output in a log file. */
export function spawnWithLog(command: string, parameters: string[], log: string, options: SpawnOptions = {}): ChildProcess {
  const out = openLogFile(log)
  try {
    return spawn(command, parameters, { cwd: '/', detached: true, ...options, stdio: ['ignore', out, out] })
  } finally {
    closeSync(out)
  }
}

/** Resolves with a phrase such as 'exit 1' or 'SIGKILL' when the child has ended, or with the reason why it never began. */
export function waitForExit(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${code}`))
  })
}

/** The last lines of a log, for a sentence about why something did not start. */
export function readLastLogLines(log: string, count = 3): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return ''
  }
}

const LARGEST_LOG = 10 * 2 ** 20

/** Opens a log file for appending; a large one becomes the old one first. */
export function openLogFile(log: string): number {
  try {
    if (statSync(log).size > LARGEST_LOG) renameSync(log, `${log}.1`)
  } catch {
    /* there is no log yet */
  }
  return openSync(log, 'a', 0o600)
}
