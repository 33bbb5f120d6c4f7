import { mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectFolder } from '../../server/core/config.ts'
import { findPostgresGroup } from './postgres-account.ts'
import { ensureDataFolder } from './folders.ts'
import { ensurePrograms } from './install.ts'
import { superviseService, type SupervisedService } from './supervise.ts'
import { acquireLockFile } from './lock.ts'
import type { LaunchOptions } from './options.ts'
import { assertPortFree } from './port.ts'
import { privatePostgresAddress, startPostgres, type PostgresAddress } from './postgres.ts'
import { isProcessAlive, readPidFile } from './process.ts'
import { startRedis } from './redis.ts'
import { CliError } from './cli-error.ts'
import { terminateLeftoverServer, startServerProcess, type ServerReady } from './server-process.ts'
import { readLaunchSettings, serverEnvironment, type LaunchSettings } from './settings.ts'
import type { StepRunner } from './step.ts'

/** What a start has led to: a server that is ready, with the path of its log; or a new login for one that ran already (`wasRunning`). */
export type LaunchResult = ServerReady & { log: string; wasRunning: boolean }

/** One start with its services; `stop` stops them in order (server, Redis, Postgres), also while starting. */
export class Launcher {
  readonly #abort = new AbortController()
  readonly #stops: (() => Promise<void> | void)[] = []
  readonly #serverFile: string
  readonly #printLine: (line: string) => void
  readonly #step: StepRunner
  #starting: Promise<unknown> = Promise.resolve()

  constructor(serverFile: string, printLine: (line: string) => void, step: StepRunner) {
    this.#serverFile = serverFile
    this.#printLine = printLine
    this.#step = step
  }

  /**
   * Starts everything and resolves with what the server reported when it was ready. Where Bobine runs already on the data folder, nothing is
   * started but what `resetPassword` asks for. On failure stops what it started and throws CliError.
   */
  start(options: LaunchOptions): Promise<LaunchResult> {
    const starting = this.#start(options).catch(async error => {
      await this.#unwind()
      throw error
    })
    this.#starting = starting.catch(() => {})
    return starting
  }

  /** Stops everything; resolves when all processes have ended. */
  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#starting
    await this.#unwind()
  }

  async #start(options: LaunchOptions): Promise<LaunchResult> {
    const settings = readLaunchSettings(options)
    const { privatePostgres, privateRedis } = settings
    await ensurePrograms(
      ['ffmpeg', ...(privateRedis ? (['redis'] as const) : []), ...(privatePostgres ? (['postgresql'] as const) : [])],
      this.#step
    )
    const data = ensureDataFolder(settings.data, privatePostgres ? findPostgresGroup() : undefined)
    const runFolder = join(data, 'run')
    mkdirSync(runFolder, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 })
    if (options.resetPassword !== undefined && isSomeLauncherAlive(runFolder))
      return await this.#resetPasswordOfRunning(options.resetPassword, data, settings)
    // With a private database or Redis a folder has one launcher; otherwise several may share it, each with other roles.
    const suffix = privatePostgres || privateRedis ? '' : `-${options.roles.join('-')}`
    const lock = acquireLockFile(join(runFolder, `launcher${suffix}.json`))
    if (typeof lock === 'number')
      throw new CliError(`Bobine already runs on ${data} (process ${lock}): stop that one, or choose another folder with --data`)
    this.#stops.push(lock)
    const pidFile = join(runFolder, `server${suffix}.json`)
    const log = join(data, 'logs', `server${suffix}.log`)
    mkdirSync(dirname(log), { recursive: true })
    await terminateLeftoverServer(pidFile)
    if (options.roles.includes('web')) await assertPortFree(settings.listen)

    let postgres: PostgresAddress | undefined
    let redis: { socket: string } | undefined
    if (privatePostgres) postgres = (await this.#supervise('PostgreSQL', signal => startPostgres(data, {}, signal))).address
    if (privateRedis) redis = (await this.#supervise('Redis', signal => startRedis(data, signal))).address
    const parameters = ['--roles', options.roles.join(','), ...(settings.file ? ['--config', settings.file] : [])]
    // Only at the first start: a restarted server must not reset the password again.
    let resetParameters = options.resetPassword ? ['--reset-password', options.resetPassword] : []
    const command = { file: this.#serverFile, env: serverEnvironment(settings, postgres, redis), cwd: projectFolder, pidFile, log }
    const { ready } = await this.#supervise('The server', signal => {
      const onlyOnce = resetParameters
      resetParameters = []
      return startServerProcess({ ...command, parameters: [...parameters, ...onlyOnce] }, signal)
    })
    return { ...ready, log, wasRunning: false }
  }

  /** Sets the password by a process of its own, which ends then; the running server finds it in the database. */
  async #resetPasswordOfRunning(username: string, data: string, settings: LaunchSettings): Promise<LaunchResult> {
    const log = join(data, 'logs', 'reset-password.log')
    const command = {
      file: this.#serverFile,
      parameters: ['--only-reset-password', username, ...(settings.file ? ['--config', settings.file] : [])],
      env: serverEnvironment(settings, settings.privatePostgres ? privatePostgresAddress(data) : undefined),
      cwd: projectFolder,
      pidFile: join(data, 'run', `reset-password-${process.pid}.json`),
      log
    }
    mkdirSync(dirname(log), { recursive: true })
    const { ready, stop } = await startServerProcess(command, this.#abort.signal)
    await stop()
    return { ...ready, log, wasRunning: true }
  }

  async #supervise<S extends SupervisedService>(name: string, start: (signal: AbortSignal) => Promise<S>): Promise<S> {
    if (this.#abort.signal.aborted) throw new CliError('Stopped')
    const { first, stop } = await this.#step(
      `Starting ${name.replace(/^The/, 'the')}`,
      async () => await superviseService(name, start, this.#printLine, this.#abort.signal)
    )
    this.#stops.push(stop)
    return first
  }

  async #unwind(): Promise<void> {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop()
  }
}

/** Whether a launcher runs on a data folder, with whatever roles. */
function isSomeLauncherAlive(runFolder: string): boolean {
  return readdirSync(runFolder)
    .filter(name => /^launcher(-[a-z-]+)?\.json$/.test(name))
    .some(name => {
      const holder = readPidFile(join(runFolder, name))
      return holder !== undefined && isProcessAlive(holder)
    })
}
