import { readFileSync } from 'node:fs'
import { isIP, isIPv6 } from 'node:net'
import { join, resolve } from 'node:path'
import { ConfigError, loadConfig, parseYaml, projectFolder } from '../../server/core/config.ts'
import type { LaunchOptions } from './options.ts'
import type { PostgresAddress } from './postgres.ts'
import { fileErrorReason } from './folders.ts'
import { CliError } from './cli-error.ts'

type Tree = { [key: string]: unknown }

/** What the launcher has to know before it starts anything; `file` is absolute. */
export interface LaunchSettings {
  file?: string
  data: string
  listen: { hostname: string; port: number }
  privatePostgres: boolean
  privateRedis: boolean
  overrides: Tree
}

/** Reads the configuration as the server will, and decides what the command line changes in it. Refuses with a sentence. */
export function readLaunchSettings(options: LaunchOptions): LaunchSettings {
  const file = options.config === undefined ? undefined : resolve(options.config)
  const config = load(file)
  const given = [
    fileTree(file ?? join(projectFolder, 'config/local.yaml'), file !== undefined),
    JSON.parse(process.env.BOBINE_CONFIG || '{}') as Tree
  ]
  const names = (...keys: string[]) => keys.some(key => given.some(tree => leaf(tree, key) !== undefined))

  const data = options.data !== undefined ? resolve(options.data) : resolve(projectFolder, config.storage.root)
  const listen = { ...config.listen, port: options.port ?? config.listen.port }
  const webserver = { ...config.webserver }
  if (options.hostname !== undefined || !names('webserver.hostname')) {
    webserver.hostname = options.hostname ?? config.webserver.hostname
    const near = /(^|\.)localhost$/.test(webserver.hostname) || isIP(webserver.hostname) !== 0
    if (options.hostname !== undefined || !names('webserver.https')) webserver.https = !near
    if (options.hostname !== undefined || options.port !== undefined || !names('webserver.port')) webserver.port = near ? listen.port : 443
    if (isIP(webserver.hostname) && !webserver.hostname.startsWith('127.') && !names('listen.hostname'))
      listen.hostname = isIPv6(webserver.hostname) ? '::' : '0.0.0.0'
  }
  return {
    file,
    data,
    listen,
    privatePostgres: !process.env.DATABASE_URL && !names('database.hostname', 'database.port'),
    privateRedis: !process.env.REDIS_URL && !names('redis.hostname', 'redis.port', 'redis.socket'),
    overrides: { listen, webserver, storage: { root: data } }
  }
}

/** The environment of the server: ours, with everything the launcher decided in BOBINE_CONFIG. */
export function serverEnvironment(
  { overrides }: LaunchSettings,
  postgres?: PostgresAddress,
  redis?: { socket: string }
): NodeJS.ProcessEnv {
  const tree = overlay(JSON.parse(process.env.BOBINE_CONFIG || '{}') as Tree, overrides)
  if (postgres)
    overlay(tree, {
      database: { hostname: postgres.host, port: postgres.port, name: postgres.name, username: postgres.username, password: '', ssl: false }
    })
  if (redis) overlay(tree, { redis: { socket: redis.socket, auth: '', db: 0 } })
  return { ...process.env, BOBINE_CONFIG: JSON.stringify(tree) }
}

function load(file: string | undefined): ReturnType<typeof loadConfig> {
  try {
    return loadConfig({ file })
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message)
    throw error
  }
}

function fileTree(file: string, asked: boolean): Tree {
  try {
    return parseYaml(readFileSync(file, 'utf8')) as Tree
  } catch (error) {
    if (!asked) return {}
    throw new CliError(`${file} cannot be read: ${fileErrorReason(error)}`)
  }
}

function leaf(tree: Tree, key: string): unknown {
  return key.split('.').reduce<unknown>((below, part) => (isTree(below) ? below[part] : undefined), tree)
}

function overlay(target: Tree, source: Tree): Tree {
  for (const [key, value] of Object.entries(source)) {
    const below = target[key]
    target[key] = isTree(value) ? overlay(isTree(below) ? below : {}, value) : value
  }
  return target
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
