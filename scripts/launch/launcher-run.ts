import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, realpathSync, rmSync, chmodSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { waitForExit, isProcessAlive, readPidFile } from './process.ts'

const launchFolder = dirname(fileURLToPath(import.meta.url))
const runs = new Set<LauncherRun>()
const folders = new Set<string>()

/** One run of the start command in a test. */
export class LauncherRun {
  output = ''
  readonly child: ChildProcess
  readonly ended: Promise<string>

  /** Runs `scripts/start`, or the launcher with another server script (`fake-server.mjs`); `as` is the id of another account. */
  constructor(parameters: string[], options: { server?: string; env?: NodeJS.ProcessEnv; as?: number } = {}) {
    const command =
      options.server === undefined
        ? [join(launchFolder, '../start'), ...parameters]
        : [
            process.execPath,
            '--import',
            'tsx',
            '--input-type=module',
            '-e',
            PROGRAM,
            join(launchFolder, 'run-launcher.ts'),
            join(launchFolder, options.server),
            ...parameters
          ]
    if (options.as !== undefined) command.unshift('setpriv', `--reuid=${options.as}`, `--regid=${options.as}`, '--clear-groups')
    this.child = spawn(command[0]!, command.slice(1), {
      cwd: join(launchFolder, '../..'),
      env: { ...cleanEnvironment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', data => (this.output += String(data)))
    this.ended = waitForExit(this.child)
    runs.add(this)
  }

  /** Waits until the output matches; throws an error with the whole output when the run ends before that. */
  async waitForOutput(pattern: RegExp): Promise<RegExpExecArray> {
    let hasEnded = false
    void this.ended.then(() => (hasEnded = true))
    for (;;) {
      const match = pattern.exec(this.output)
      if (match) return match
      if (hasEnded) throw new Error(`ended without saying ${pattern}:\n${this.output}`)
      await sleep(20)
    }
  }

  /** Waits until the server is ready and returns the URL it printed. */
  async waitUntilReady(): Promise<string> {
    return (await this.waitForOutput(/is ready: (\S+)/))[1]!
  }
}

// The parameters of -e: the module of the launcher, the server script, and the command line.
const PROGRAM = 'const [run, server, ...parameters] = process.argv.slice(1); await (await import(run)).runLauncher(parameters, server)'

/** Creates a data folder; `cleanUpLauncherRuns` removes it. */
export function makeLauncherRunFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bobine-trial-')))
  chmodSync(folder, 0o711)
  folders.add(folder)
  return folder
}

/** The pids of the processes that run on a data folder, according to the pid files in it. */
export function findRunningProcesses(folder: string): Record<string, number> {
  const pids: Record<string, number> = {}
  for (const name of ['launcher', 'server', 'redis', 'postgres']) {
    const identity = readPidFile(join(folder, 'run', `${name}.json`))
    if (identity && isProcessAlive(identity)) pids[name] = identity.pid
  }
  return pids
}

/** The lines of `ps` about processes whose command line contains the folder, with or without a pid file. */
export function findProcessesNaming(folder: string): string[] {
  const psOutput = spawnSync('ps', ['-ww', '-e', '-o', 'pid=,stat=,command='], { encoding: 'utf8' }).stdout
  return psOutput.split('\n').filter(line => line.includes(folder) && !/^\s*\d+\s+Z/.test(line))
}

/** Kills all processes that tests have left and removes their folders. */
export async function cleanUpLauncherRuns(): Promise<void> {
  for (const run of runs) run.child.kill('SIGKILL')
  for (const run of runs) await run.ended
  runs.clear()
  for (const folder of folders) {
    const pids = [
      ...Object.values(findRunningProcesses(folder)),
      ...readFakeServerChildPid(folder),
      ...findProcessesNaming(folder).map(line => Number(/\d+/.exec(line)![0]))
    ]
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        /* it has ended */
      }
    for (let attemptsLeft = 100; attemptsLeft > 0 && findProcessesNaming(folder).length > 0; attemptsLeft--) await sleep(50)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  folders.clear()
}

/** The pid of the fake server's own child, which must not outlive it; empty where there is none. */
export function readFakeServerChildPid(folder: string): number[] {
  return readdirSync(folder).includes('child.pid') ? [Number(readFileSync(join(folder, 'child.pid'), 'utf8'))] : []
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(BOBINE_|DATABASE_URL|REDIS_URL|NODE_ENV|VITEST|PG)/.test(key))
  )
}
