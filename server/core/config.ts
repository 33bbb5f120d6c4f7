import { existsSync, readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadAll } from 'js-yaml'
import { ConfigSchema, type Config } from './config.schema.ts'
import { FORMER_CONFIG_KEYS } from './former-config-keys.ts'

/** Configuration values by key, in nested groups. */
export type ConfigTree = { [key: string]: unknown }
type Layer = { name: string; tree: ConfigTree }

/** The configuration of this process; set once by `loadConfig` before anything else runs. */
export let config: Config

/** The absolute path of the folder that holds package.json, config/ and migrations/. */
export const projectFolder = findProjectFolder(dirname(fileURLToPath(import.meta.url)))

/** Values read from the environment that are not part of the configuration: the password of the first administrator. */
export const environmentSecrets = { rootPassword: process.env.BOBINE_ROOT_PASSWORD || undefined }

/** Changed constants for tests of other processes (`defineInternals`), by group; no part of the configuration. */
export const internalsFromEnvironment = JSON.parse(process.env.BOBINE_INTERNALS ?? '{}') as { [group: string]: object }

/** A mistake in the configuration, described in one sentence for the administrator; `key` and `expected` are set where one key is wrong. */
export class ConfigError extends Error {
  readonly key: string | null
  readonly expected: string | null

  constructor(message: string, key: string | null = null, expected: string | null = null) {
    super(message)
    this.key = key
    this.expected = expected
  }
}

let loadedLayers: Layer[] = []

/** What the administrator should know of the configuration that was loaded, one sentence each. */
export function configWarnings(): string[] {
  return loadedLayers.flatMap(({ name, tree }) =>
    formerKeys(tree).map(key => `Configuration: \`${key}\` in ${name} is no setting any more and has no effect; remove it`)
  )
}

function formerKeys(tree: ConfigTree, path: string[] = []): string[] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const name = [...path, key].join('.')
    if (FORMER_CONFIG_KEYS.has(name)) return [name]
    return isConfigTree(value) ? formerKeys(value, [...path, key]) : []
  })
}

/**
 * Reads default.yaml, then local.yaml or `file`, then DATABASE_URL and REDIS_URL, then BOBINE_CONFIG (JSON), then `overrides`.
 * Throws ConfigError that names the key, the file or variable it comes from, and what was expected.
 */
export function loadConfig(options: { file?: string; overrides?: ConfigTree } = {}): Config {
  const layers: Layer[] = [{ name: 'config/default.yaml', tree: readYaml(join(projectFolder, 'config/default.yaml')) }]
  const local = join(projectFolder, 'config/local.yaml')
  if (options.file) layers.push({ name: options.file, tree: readYaml(options.file) })
  else if (existsSync(local)) layers.push({ name: 'config/local.yaml', tree: readYaml(local) })
  layers.push(...environmentLayers(process.env))
  if (options.overrides) layers.push({ name: 'the given overrides', tree: options.overrides })
  loadedLayers = layers
  config = mergeConfigLayers(layers)
  return config
}

/** Returns the configuration with a tree of values merged over all layers that `loadConfig` read. Throws ConfigError. */
export function configWithOverrides(tree: ConfigTree): Config {
  return mergeConfigLayers([...loadedLayers, { name: 'what administrators set', tree }])
}

/** Replaces the configuration of this process. */
export function replaceConfig(next: Config): void {
  config = next
}

/** The absolute path of a storage folder, for instance `storageFolder('thumbnails')`. */
export function storageFolder(name: Exclude<keyof Config['storage'], 'root'>): string {
  return resolve(storageRoot(), config.storage[name])
}

/** The absolute path of `storage.root`, the folder of all stored files. */
export function storageRoot(): string {
  return isAbsolute(config.storage.root) ? config.storage.root : join(projectFolder, config.storage.root)
}

/** The public origin of this instance, without a trailing slash: https://example.org, http://127.0.0.1:9001. */
export function instanceOrigin(): string {
  return `${config.webserver.https ? 'https' : 'http'}://${instanceHost()}`
}

/** The public host, with the port unless it is the default port of the scheme. */
export function instanceHost(): string {
  const { https, hostname, port } = config.webserver
  return port === (https ? 443 : 80) ? hostname : `${hostname}:${port}`
}

/** Merges the layers, each over the ones before, and parses the result; exported for its tests. */
export function mergeConfigLayers(layers: Layer[]): Config {
  const originByKey = new Map<string, string>()
  const merged: ConfigTree = {}
  layers.forEach((layer, index) => mergeLayer(merged, layer.tree, layer.name, [], originByKey, index === 0))
  // Parsed once: compiling the schema would take longer than interpreting it.
  const result = ConfigSchema.safeParse(merged, { jitless: true })
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  if (issue.code === 'unrecognized_keys') throw unknownKey([...issue.path, issue.keys[0]!].join('.'), originByKey)
  const key = issue.path.join('.')
  const expected = issue.message.replace(/^Invalid input: expected /, '')
  throw new ConfigError(
    `Configuration: \`${key}\` in ${originByKey.get(key) ?? 'config/default.yaml'} is not valid: expected ${expected}`,
    key,
    expected
  )
}

function mergeLayer(
  target: ConfigTree,
  source: ConfigTree,
  origin: string,
  path: string[],
  originByKey: Map<string, string>,
  isBaseLayer: boolean
): void {
  for (const [key, value] of Object.entries(source)) {
    const name = [...path, key].join('.')
    if (FORMER_CONFIG_KEYS.has(name)) continue
    if (!isBaseLayer && !Object.hasOwn(target, key)) throw unknownKey(name, new Map([[name, origin]]))
    originByKey.set(name, origin)
    const existing = target[key]
    if (isConfigTree(value) && (isBaseLayer || isConfigTree(existing)))
      mergeLayer(
        (target[key] = isConfigTree(existing) ? existing : {}) as ConfigTree,
        value,
        origin,
        [...path, key],
        originByKey,
        isBaseLayer
      )
    else target[key] = value
  }
}

function unknownKey(name: string, originByKey: Map<string, string>): ConfigError {
  return new ConfigError(
    `Configuration: unknown key \`${name}\` in ${originByKey.get(name) ?? 'config/default.yaml'}; ` +
      'every known key stands in config/default.yaml'
  )
}

function environmentLayers(env: NodeJS.ProcessEnv): Layer[] {
  const layers: Layer[] = []
  if (env.DATABASE_URL) layers.push({ name: 'DATABASE_URL', tree: { database: databaseFromUrl(env.DATABASE_URL) } })
  if (env.REDIS_URL) layers.push({ name: 'REDIS_URL', tree: { redis: redisFromUrl(env.REDIS_URL) } })
  if (env.BOBINE_CONFIG)
    layers.push({ name: 'BOBINE_CONFIG', tree: parseConfigTree('BOBINE_CONFIG', () => JSON.parse(env.BOBINE_CONFIG!)) })
  return layers
}

function databaseFromUrl(text: string): ConfigTree {
  const url = parseUrl('DATABASE_URL', text)
  const socket = url.searchParams.get('host')
  return {
    hostname: socket ?? decodeURIComponent(url.hostname),
    port: Number(url.port || 5432),
    name: decodeURIComponent(url.pathname.slice(1)),
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ssl: ['require', 'verify-full'].includes(url.searchParams.get('sslmode') ?? '')
  }
}

function redisFromUrl(text: string): ConfigTree {
  const url = parseUrl('REDIS_URL', text)
  if (url.protocol === 'unix:') return { socket: url.pathname, db: Number(url.searchParams.get('db') ?? 0) }
  return {
    hostname: url.hostname,
    port: Number(url.port || 6379),
    auth: decodeURIComponent(url.password),
    db: Number(url.pathname.slice(1) || 0),
    socket: ''
  }
}

function parseUrl(name: string, text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw new ConfigError(`Configuration: ${name} is not a valid URL`)
  }
}

/** Parses a YAML text; one that contains only comments is an empty object. */
export function parseYaml(text: string): unknown {
  const [tree = {}, ...others] = loadAll(text)
  if (others.length > 0) throw new Error('it holds more than one document')
  return tree ?? {}
}

function readYaml(file: string): ConfigTree {
  if (!existsSync(file)) throw new ConfigError(`Configuration: the file ${file} does not exist`)
  return parseConfigTree(file, () => parseYaml(readFileSync(file, 'utf8')))
}

function parseConfigTree(name: string, read: () => unknown): ConfigTree {
  let value: unknown
  try {
    value = read()
  } catch (error) {
    throw new ConfigError(`Configuration: ${name} cannot be read: ${(error as Error).message.split('\n')[0]}`)
  }
  if (!isConfigTree(value)) throw new ConfigError(`Configuration: ${name} must hold an object of keys`)
  return value
}

/** Whether a value is a group of keys. */
export function isConfigTree(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function findProjectFolder(folder: string): string {
  if (existsSync(join(folder, 'config/default.yaml'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new ConfigError('Configuration: config/default.yaml was not found beside the program')
  return findProjectFolder(parent)
}
