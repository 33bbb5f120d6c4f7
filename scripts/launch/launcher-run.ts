import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, realpathSync, rmSync, chmodSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { waitForExit, isProcessAlive, readPidFile } from './process.ts'

const here = dirname(fileURLToPath(import.meta.url))
const trials = new Set<LauncherRun>()
const folders = new Set<string>()

/** One run of the start command under test. */
export class LauncherRun {
  output = ''
  readonly child: ChildProcess
  readonly ended: Promise<string>

  /** Runs `scripts/start`, or the launcher with another server script (`fake-server.mjs`); `as` is the id of another account. */
  constructor(parameters: string[], options: { server?: string; env?: NodeJS.ProcessEnv; as?: number } = {}) {
    const command =
      options.server === undefined
        ? [join(here, '../start'), ...parameters]
        : [
            process.execPath,
            '--import',
            'tsx',
            '--input-type=module',
            '-e',
            PROGRAM,
            join(here, 'run-launcher.ts'),
            join(here, options.server),
            ...parameters
          ]
    if (options.as !== undefined) command.unshift('setpriv', `--reuid=${options.as}`, `--regid=${options.as}`, '--clear-groups')
    this.child = spawn(command[0]!, command.slice(1), {
      cwd: join(here, '../..'),
      env: { ...plainEnvironment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    for (const stream of [this.child.stdout!, this.child.stderr!]) stream.on('data', data => (this.output += String(data)))
    this.ended = waitForExit(this.child)
    trials.add(this)
  }

  /** Waits until the output matches; throws with the whole output when the run ends before that. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let over = false
    void this.ended.then(() => (over = true))
    for (;;) {
      const match = pattern.exec(this.output)
      if (match) return match
      if (over) throw new Error(`ended without saying ${pattern}:\n${this.output}`)
      await sleep(20)
    }
  }

  /** The address printed when it is ready. */
  async ready(): Promise<string> {
    return (await this.says(/is ready: (\S+)/))[1]!
  }
}

// What -e gets as its parameters: the module with `run`, the server's script, and the command line.
const PROGRAM = 'const [run, server, ...parameters] = process.argv.slice(1); await (await import(run)).runLauncher(parameters, server)'

/** A port that nobody listens on just now. */
export async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** A data folder of its own, removed by `cleanUp`. */
export function makeLauncherRunFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'bobine-trial-')))
  chmodSync(folder, 0o711)
  folders.add(folder)
  return folder
}

/** The pids of everything that runs on a data folder, by the marks the launcher keeps there. */
export function findRunningProcesses(folder: string): Record<string, number> {
  const found: Record<string, number> = {}
  for (const name of ['launcher', 'server', 'redis', 'postgres']) {
    const mark = readPidFile(join(folder, 'run', `${name}.json`))
    if (mark && isProcessAlive(mark)) found[name] = mark.pid
  }
  return found
}

/** Every process whose command line names the folder, marked or not. */
export function findProcessesNaming(folder: string): string[] {
  const list = spawnSync('ps', ['-ww', '-e', '-o', 'pid=,stat=,command='], { encoding: 'utf8' }).stdout
  return list.split('\n').filter(line => line.includes(folder) && !/^\s*\d+\s+Z/.test(line))
}

/** Ends whatever the tests have left and removes their folders. */
export async function cleanUpLauncherRuns(): Promise<void> {
  for (const trial of trials) trial.child.kill('SIGKILL')
  for (const trial of trials) await trial.ended
  trials.clear()
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
    for (let left = 100; left > 0 && findProcessesNaming(folder).length > 0; left--) await sleep(50)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  folders.clear()
}

/** The pid of the trial server's own child, which must not outlive it. */
export function readFakeServerChildPid(folder: string): number[] {
  return readdirSync(folder).includes('child.pid') ? [Number(readFileSync(join(folder, 'child.pid'), 'utf8'))] : []
}

function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(BOBINE_|DATABASE_URL|REDIS_URL|NODE_ENV|VITEST|PG)/.test(key))
  )
}
