import { isDeepStrictEqual } from 'node:util'
import { config, ConfigError, configWithOverrides, isConfigTree, type ConfigTree } from '../core/config.ts'
import { updateAdminOverrides, configLeaves, refreshAdminOverrides, withConfigValue } from '../core/admin-overrides.ts'
import { invalidParams, Problem, type InvalidParam } from '../core/problem.ts'
import {
  configKeyPath,
  customConfigShape,
  EDITABLE_CONFIG_KEYS,
  MISSING_FEATURE_SWITCHES,
  READ_ONLY_CONFIG_KEYS,
  REQUIRED_CONFIG_KEYS,
  configValueAt
} from './custom-config.shape.ts'

/** Returns the current configuration in the shape of PeerTube's clients. */
export async function getCustomConfig(): Promise<ConfigTree> {
  await refreshAdminOverrides()
  return customConfigShape()
}

/** Stores a whole body in the shape of `getCustomConfig`. Throws like `changeCustomConfig`, and 400 that names each required key that is missing. */
export async function replaceCustomConfig(body: ConfigTree): Promise<ConfigTree> {
  assertEditionAllowed()
  const missing = REQUIRED_CONFIG_KEYS.filter(name => configValueAt(body, name.split('.')) === undefined)
  if (missing.length > 0) throw invalidParams(missing.map(name => ({ type: 'field', msg: 'Is required', path: name, location: 'body' })))
  return await changeCustomConfig(body)
}

/**
 * Stores the values of a body in the shape of `getCustomConfig`; omitted keys stay unchanged. An override equal to the value in the files
 * is removed. Settings of features that this version does not have are accepted without effect while they do not switch the feature on.
 * Throws 400 for an invalid value, one that only the files may change or one that switches such a feature on, and then changes nothing; 405
 * if `webadmin.configuration.edition.allowed` is off.
 */
export async function changeCustomConfig(body: ConfigTree): Promise<ConfigTree> {
  assertEditionAllowed()
  const current = new Map(configLeaves(await getCustomConfig()).map(([path, value]) => [path.join('.'), value]))
  const leaves = valuesOfBody(body, current)
  const refusals = leaves
    .map(({ name, value }) => ({ name, value, reason: reasonToRefuse(name, value, current) }))
    .filter(({ reason }) => reason !== null)
  if (refusals.length > 0) throw invalidParams(refusals.map(({ name, value, reason }) => invalidValue(name, value, reason!)))
  const changes = leaves
    .filter(({ name }) => EDITABLE_CONFIG_KEYS.includes(name))
    .map(({ name, value }) => ({ name, value, path: configKeyPath(name) }))
  try {
    await updateAdminOverrides(before => {
      const fileConfig = configWithOverrides({})
      const parsed = configWithOverrides(changes.reduce((tree, { path, value }) => withConfigValue(tree, path, value), before))
      return changes.reduce((tree, { path }) => {
        const value = configValueAt(parsed, path)
        return withConfigValue(tree, path, isDeepStrictEqual(value, configValueAt(fileConfig, path)) ? undefined : value)
      }, before)
    })
  } catch (error) {
    const refused =
      error instanceof ConfigError &&
      changes.find(({ path }) => error.key === path.join('.') || error.key?.startsWith(`${path.join('.')}.`))
    throw refused ? invalidParams([invalidValue(refused.name, refused.value, `Expected ${(error as ConfigError).expected}`)]) : error
  }
  return customConfigShape()
}

/** Removes all overrides, so that the configuration files apply again. Throws 405. */
export async function deleteCustomConfig(): Promise<ConfigTree> {
  assertEditionAllowed()
  await updateAdminOverrides(() => ({}))
  return customConfigShape()
}

function assertEditionAllowed(): void {
  if (!config.webadmin.configuration.edition.allowed)
    throw new Problem(405, null, 'The configuration of this instance can only be changed in its files.')
}

/** Returns the values of a body by key: an object in the place of a value is one, too. */
function valuesOfBody(body: ConfigTree, current: Map<string, unknown>, prefix = ''): { name: string; value: unknown }[] {
  return Object.entries(body).flatMap(([key, value]) => {
    const name = `${prefix}${key}`
    return isConfigTree(value) && !current.has(name) ? valuesOfBody(value, current, `${name}.`) : [{ name, value }]
  })
}

/** Returns why a value is refused before the schema sees it; null if it may be changed, is the current one, or belongs to a feature that is off. */
function reasonToRefuse(name: string, value: unknown, current: Map<string, unknown>): string | null {
  if (!current.has(name)) return 'There is no such key'
  if (isConfigTree(value)) return 'Expected a value'
  if (EDITABLE_CONFIG_KEYS.includes(name)) return null
  const present = current.get(name)
  if (isDeepStrictEqual(value, present)) return null
  if (READ_ONLY_CONFIG_KEYS.includes(name)) return 'Can only be changed in the files'
  if (typeof value !== typeof present) return `Expected a ${typeof present}`
  return value === true && !isBelowMissingFeature(name) ? 'This version does not have that feature' : null
}

/** Whether a key belongs to a feature that this version does not have, and is not its switch: without effect, as the switch stays off. */
function isBelowMissingFeature(name: string): boolean {
  return MISSING_FEATURE_SWITCHES.some(enabled => name !== enabled && name.startsWith(enabled.slice(0, -'enabled'.length)))
}

function invalidValue(path: string, value: unknown, msg: string): InvalidParam {
  return { type: 'field', value, msg, path, location: 'body' }
}
