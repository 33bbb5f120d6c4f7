import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { CliError } from './cli-error.ts'

/** The folder with initdb and postgres: of the major version `wanted` when a cluster exists already, else the newest found. */
export function findPostgresFolder(wanted?: string): string {
  const found = listPostgresFolders()
    .map(folder => ({ folder, version: versionOf(folder) }))
    .filter(({ version }) => version !== undefined)
  const match =
    wanted === undefined ? found.sort((a, b) => Number(b.version) - Number(a.version))[0] : found.find(({ version }) => version === wanted)
  if (match) return match.folder
  if (found.length === 0) throw new CliError('PostgreSQL was not found: install it, or name a database with DATABASE_URL')
  throw new CliError(
    `The data folder was made by PostgreSQL ${wanted}, but only ${found.map(({ version }) => version).join(', ')} is installed: install postgresql-${wanted} beside it`
  )
}

/** The path of Redis, or of Valkey, which speaks the same. */
export function findRedisProgram(): string {
  const program = findOnPath('redis-server') ?? findOnPath('valkey-server')
  if (program) return program
  throw new CliError('Redis was not found: install it, or name one with REDIS_URL')
}

/** The full path of a program that can be run by its name, undefined when there is none. */
export function findOnPath(name: string): string | undefined {
  return searchPath()
    .map(folder => join(folder, name))
    .find(isProgram)
}

function searchPath(): string[] {
  return [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/opt/homebrew/bin', '/usr/local/bin', '/usr/sbin']
}

/** Every folder that holds both initdb and postgres. */
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
  const asked = findOnPath('pg_config')
  const told = asked === undefined ? '' : spawnSync(asked, ['--bindir'], { encoding: 'utf8' }).stdout?.trim()
  const all = [...debian, ...searchPath(), ...fedora, ...homebrew, ...(told ? [told] : [])]
  return [...new Set(all)].filter(folder => isProgram(join(folder, 'initdb')) && isProgram(join(folder, 'postgres')))
}

function versionOf(folder: string): string | undefined {
  const text = spawnSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout ?? ''
  return /(\d+)(?:\.\d+)*/.exec(text)?.[1]
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
