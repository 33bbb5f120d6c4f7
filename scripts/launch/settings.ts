import { readFileSync } from 'node:fs'
import { isIP, isIPv6 } from 'node:net'
import { join, resolve } from 'node:path'
import { ConfigError, loadConfig, parseYaml, projectFolder } from '../../server/core/config.ts'
import type { LaunchOptions } from './options.ts'
import type { PostgresAddress } from './postgres.ts'
import { fileErrorReason } from './folders.ts'
import { CliError } from './cli-error.ts'

type ConfigTree = { [key: string]: unknown }

/** What the launcher needs to know before it starts anything; `file` is absolute. */
export interface LaunchSettings {
  file?: string
  data: string
  listen: { hostname: string; port: number }
  privatePostgres: boolean
  privateRedis: boolean
  overrides: ConfigTree
}

/** Reads the configuration as the server will, and applies the command line to it. Throws CliError. */
export function readLaunchSettings(options: LaunchOptions): LaunchSettings {
  const file = options.config === undefined ? undefined : resolve(options.config)
  const config = loadConfiguration(file)
  const configTrees = [
    readConfigTree(file ?? join(projectFolder, 'config/local.yaml'), file !== undefined),
    JSON.parse(process.env.BOBINE_CONFIG || '{}') as ConfigTree
  ]
  const isConfigured = (...keys: string[]) => keys.some(key => configTrees.some(tree => valueAt(tree, key) !== undefined))

  const data = options.data !== undefined ? resolve(options.data) : resolve(projectFolder, config.storage.root)
  const listen = { ...config.listen, port: options.port ?? config.listen.port }
  const webserver = { ...config.webserver }
  if (options.hostname !== undefined || !isConfigured('webserver.hostname')) {
    webserver.hostname = options.hostname ?? config.webserver.hostname
    const isLocal = /(^|\.)localhost$/.test(webserver.hostname) || isIP(webserver.hostname) !== 0
    if (options.hostname !== undefined || !isConfigured('webserver.https')) webserver.https = !isLocal
    if (options.hostname !== undefined || options.port !== undefined || !isConfigured('webserver.port'))
      webserver.port = isLocal ? listen.port : 443
    if (isIP(webserver.hostname) && !webserver.hostname.startsWith('127.') && !isConfigured('listen.hostname'))
      listen.hostname = isIPv6(webserver.hostname) ? '::' : '0.0.0.0'
  }
  return {
    file,
    data,
    listen,
    privatePostgres: !process.env.DATABASE_URL && !isConfigured('database.hostname', 'database.port'),
    privateRedis: !process.env.REDIS_URL && !isConfigured('redis.hostname', 'redis.port', 'redis.socket'),
    overrides: { listen, webserver, storage: { root: data } }
  }
}

/** The environment of the server: the current one, with the launcher's decisions in BOBINE_CONFIG. */
export function serverEnvironment(
  { overrides }: LaunchSettings,
  postgres?: PostgresAddress,
  redis?: { socket: string }
): NodeJS.ProcessEnv {
  const tree = mergeInto(JSON.parse(process.env.BOBINE_CONFIG || '{}') as ConfigTree, overrides)
  if (postgres)
    mergeInto(tree, {
      database: { hostname: postgres.host, port: postgres.port, name: postgres.name, username: postgres.username, password: '', ssl: false }
    })
  if (redis) mergeInto(tree, { redis: { socket: redis.socket, auth: '', db: 0 } })
  return { ...process.env, BOBINE_CONFIG: JSON.stringify(tree) }
}

function loadConfiguration(file: string | undefined): ReturnType<typeof loadConfig> {
  try {
    return loadConfig({ file })
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(error.message)
    throw error
  }
}

function readConfigTree(file: string, isRequired: boolean): ConfigTree {
  try {
    return parseYaml(readFileSync(file, 'utf8')) as ConfigTree
  } catch (error) {
    if (!isRequired) return {}
    throw new CliError(`${file} cannot be read: ${fileErrorReason(error)}`)
  }
}

function valueAt(tree: ConfigTree, key: string): unknown {
  return key.split('.').reduce<unknown>((nested, part) => (isConfigTree(nested) ? nested[part] : undefined), tree)
}

function mergeInto(target: ConfigTree, source: ConfigTree): ConfigTree {
  for (const [key, value] of Object.entries(source)) {
    const nested = target[key]
    target[key] = isConfigTree(value) ? mergeInto(isConfigTree(nested) ? nested : {}, value) : value
  }
  return target
}

function isConfigTree(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
