import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectFolder } from '../../server/core/config.ts'
import { findPostgresGroup } from './postgres-account.ts'
import { ensureDataFolder } from './folders.ts'
import { ensurePrograms } from './install.ts'
import { superviseService, type SupervisedService } from './supervise.ts'
import { acquireLockFile } from './lock.ts'
import type { LaunchOptions } from './options.ts'
import { assertPortFree } from './port.ts'
import { startPostgres, type PostgresAddress } from './postgres.ts'
import { startRedis } from './redis.ts'
import { CliError } from './cli-error.ts'
import { terminateLeftoverServer, startServerProcess, type ServerReady } from './server-process.ts'
import { readLaunchSettings, serverEnvironment } from './settings.ts'
import type { StepRunner } from './step.ts'

/** Everything one start has going; `stop` ends it in order (server, Redis, Postgres), also in the middle of starting. */
export class Launcher {
  readonly #abort = new AbortController()
  readonly #stops: (() => Promise<void> | void)[] = []
  readonly #serverFile: string
  readonly #say: (line: string) => void
  readonly #step: StepRunner
  #starting: Promise<unknown> = Promise.resolve()

  constructor(serverFile: string, say: (line: string) => void, step: StepRunner) {
    this.#serverFile = serverFile
    this.#say = say
    this.#step = step
  }

  /**
   * Starts everything and resolves with what the server told when it was ready, and where its log is. Refuses with a sentence, stopping
   * what it started.
   */
  start(options: LaunchOptions): Promise<ServerReady & { log: string }> {
    const starting = this.#start(options).catch(async error => {
      await this.#unwind()
      throw error
    })
    this.#starting = starting.catch(() => {})
    return starting
  }

  /** Ends everything that was started; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#starting
    await this.#unwind()
  }

  async #start(options: LaunchOptions): Promise<ServerReady & { log: string }> {
    const settings = readLaunchSettings(options)
    const { privatePostgres, privateRedis } = settings
    await ensurePrograms(
      ['ffmpeg', ...(privateRedis ? (['redis'] as const) : []), ...(privatePostgres ? (['postgresql'] as const) : [])],
      this.#step
    )
    const data = ensureDataFolder(settings.data, privatePostgres ? findPostgresGroup() : undefined)
    const run = join(data, 'run')
    mkdirSync(run, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 })
    // With a database and a Redis of its own a folder has one launcher; with others' several may share it, each with other roles.
    const part = privatePostgres || privateRedis ? '' : `-${options.roles.join('-')}`
    const lock = acquireLockFile(join(run, `launcher${part}.json`))
    if (typeof lock === 'number')
      throw new CliError(`Bobine already runs on ${data} (process ${lock}): stop that one, or choose another folder with --data`)
    this.#stops.push(lock)
    const mark = join(run, `server${part}.json`)
    const log = join(data, 'logs', `server${part}.log`)
    mkdirSync(dirname(log), { recursive: true })
    await terminateLeftoverServer(mark)
    if (options.roles.includes('web')) await assertPortFree(settings.listen)

    let postgres: PostgresAddress | undefined
    let redis: { socket: string } | undefined
    if (privatePostgres) postgres = (await this.#keep('PostgreSQL', signal => startPostgres(data, {}, signal))).address
    if (privateRedis) redis = (await this.#keep('Redis', signal => startRedis(data, signal))).address
    const parameters = ['--roles', options.roles.join(','), ...(settings.file ? ['--config', settings.file] : [])]
    // Once: a server that is started again must not change the password again.
    let reset = options.resetPassword ? ['--reset-password', options.resetPassword] : []
    const command = { file: this.#serverFile, env: serverEnvironment(settings, postgres, redis), cwd: projectFolder, mark, log }
    const { ready } = await this.#keep('The server', signal => {
      const once = reset
      reset = []
      return startServerProcess({ ...command, parameters: [...parameters, ...once] }, signal)
    })
    return { ...ready, log }
  }

  async #keep<S extends SupervisedService>(name: string, start: (signal: AbortSignal) => Promise<S>): Promise<S> {
    if (this.#abort.signal.aborted) throw new CliError('Stopped')
    const { first, stop } = await this.#step(
      `Starting ${name.replace(/^The/, 'the')}`,
      async () => await superviseService(name, start, this.#say, this.#abort.signal)
    )
    this.#stops.push(stop)
    return first
  }

  async #unwind(): Promise<void> {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) await stop()
  }
}
