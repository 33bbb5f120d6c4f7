import { isDeepStrictEqual } from 'node:util'
import { config, ConfigError, configWithOverrides, type ConfigTree } from '../core/config.ts'
import { updateAdminOverrides, configLeaves, refreshAdminOverrides, withConfigValue } from '../core/admin-overrides.ts'
import { invalidParams, Problem, type InvalidParam } from '../core/problem.ts'
import { configKeyPath, customConfigShape, EDITABLE_CONFIG_KEYS, configValueAt } from './custom-config.shape.ts'

/** Returns the current configuration in the shape of PeerTube's clients. */
export async function getCustomConfig(): Promise<ConfigTree> {
  await refreshAdminOverrides()
  return customConfigShape()
}

/**
 * Stores the values of a body in the shape of `getCustomConfig`; omitted keys stay unchanged. An override equal to the value in the files
 * is removed. Throws 400 for an invalid value or one that only the files may change, and then changes nothing; 405 if
 * `webadmin.configuration.edition.allowed` is off.
 */
export async function updateCustomConfig(body: ConfigTree): Promise<ConfigTree> {
  assertEditionAllowed()
  const current = new Map(configLeaves(await getCustomConfig()).map(([path, value]) => [path.join('.'), value]))
  const leaves = configLeaves(body).map(([path, value]) => ({ name: path.join('.'), value }))
  const readOnly = leaves.filter(({ name, value }) => !EDITABLE_CONFIG_KEYS.includes(name) && !isDeepStrictEqual(value, current.get(name)))
  if (readOnly.length > 0)
    throw invalidParams(
      readOnly.map(({ name, value }) => invalidValue(name, value, current.has(name) ? 'Cannot be changed here' : 'There is no such key'))
    )
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

function invalidValue(path: string, value: unknown, msg: string): InvalidParam {
  return { type: 'field', value, msg, path, location: 'body' }
}
