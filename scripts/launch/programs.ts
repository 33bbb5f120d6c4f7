import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { CliError } from './cli-error.ts'

/** Returns the folder with initdb and postgres: of `majorVersion`, or the newest installed. Throws CliError. */
export function findPostgresFolder(majorVersion?: string): string {
  const installed = listPostgresFolders()
    .map(folder => ({ folder, version: versionOf(folder) }))
    .filter(({ version }) => version !== undefined)
  const match =
    majorVersion === undefined
      ? installed.sort((a, b) => Number(b.version) - Number(a.version))[0]
      : installed.find(({ version }) => version === majorVersion)
  if (match) return match.folder
  if (installed.length === 0) throw new CliError('PostgreSQL was not found: install it, or name a database with DATABASE_URL')
  throw new CliError(
    `The data folder was made by PostgreSQL ${majorVersion}, but only ${installed.map(({ version }) => version).join(', ')} is installed: install postgresql-${majorVersion} beside it`
  )
}

/** Returns the path of Redis, or of the compatible Valkey. Throws CliError. */
export function findRedisProgram(): string {
  const program = findOnPath('redis-server') ?? findOnPath('valkey-server')
  if (program) return program
  throw new CliError('Redis was not found: install it, or name one with REDIS_URL')
}

/** Returns the full path of a program in PATH and the usual folders; undefined when there is none. */
export function findOnPath(name: string): string | undefined {
  return searchPath()
    .map(folder => join(folder, name))
    .find(isExecutable)
}

function searchPath(): string[] {
  return [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/opt/homebrew/bin', '/usr/local/bin', '/usr/sbin']
}

/** Returns every folder that contains both initdb and postgres. */
export function listPostgresFolders(): string[] {
  const debian = existsSync('/usr/lib/postgresql')
    ? readdirSync('/usr/lib/postgresql').map(version => `/usr/lib/postgresql/${version}/bin`)
    : []
  const fedora = [
    '/usr/pgsql',
    ...(existsSync('/usr')
      ? readdirSync('/usr')
          .filter(name => /^pgsql-\d+$/.test(name))
          .map(name => `/usr/${name}`)
      : [])
  ].map(folder => `${folder}/bin`)
  const homebrew = ['/opt/homebrew/opt', '/usr/local/opt'].filter(existsSync).flatMap(folder =>
    readdirSync(folder)
      .filter(name => /^postgresql(@\d+)?$/.test(name))
      .map(name => join(folder, name, 'bin'))
  )
  const pgConfig = findOnPath('pg_config')
  const pgConfigFolder = pgConfig === undefined ? '' : spawnSync(pgConfig, ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  const candidates = [...debian, ...searchPath(), ...fedora, ...homebrew, ...(pgConfigFolder ? [pgConfigFolder] : [])]
  return [...new Set(candidates)].filter(folder => isExecutable(join(folder, 'initdb')) && isExecutable(join(folder, 'postgres')))
}

function versionOf(folder: string): string | undefined {
  const text = spawnSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout ?? ''
  return /(\d+)(?:\.\d+)*/.exec(text)?.[1]
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
