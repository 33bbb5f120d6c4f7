import { isDeepStrictEqual } from 'node:util'
import { config, ConfigError, configWithOverrides, type ConfigTree } from '../core/config.ts'
import { updateAdminOverrides, configLeaves, refreshAdminOverrides, withConfigValue } from '../core/admin-overrides.ts'
import { invalidParams, Problem, type InvalidParam } from '../core/problem.ts'
import { configKeyPath, customConfigShape, EDITABLE_CONFIG_KEYS, configValueAt } from './custom-config.shape.ts'

/** What administrators see of the configuration. */
export async function getCustomConfig(): Promise<ConfigTree> {
  await refreshAdminOverrides()
  return customConfigShape()
}

/**
 * Changes what a body in the shape of `readCustom` gives; what it leaves out stays. What is then as the files say is theirs again.
 * Throws 400 for a value that the configuration does not take or that only its files may change, and then nothing has changed; 405 where
 * the files allow no change.
 */
export async function updateCustomConfig(body: ConfigTree): Promise<ConfigTree> {
  assertAllowed()
  const now = new Map(configLeaves(await getCustomConfig()).map(([path, value]) => [path.join('.'), value]))
  const given = configLeaves(body).map(([path, value]) => ({ name: path.join('.'), value }))
  const fixed = given.filter(({ name, value }) => !EDITABLE_CONFIG_KEYS.includes(name) && !isDeepStrictEqual(value, now.get(name)))
  if (fixed.length > 0)
    throw invalidParams(
      fixed.map(({ name, value }) => wrong(name, value, now.has(name) ? 'Cannot be changed here' : 'There is no such key'))
    )
  const changes = given
    .filter(({ name }) => EDITABLE_CONFIG_KEYS.includes(name))
    .map(({ name, value }) => ({ name, value, path: configKeyPath(name) }))
  try {
    await updateAdminOverrides(before => {
      const files = configWithOverrides({})
      const parsed = configWithOverrides(changes.reduce((tree, { path, value }) => withConfigValue(tree, path, value), before))
      return changes.reduce((tree, { path }) => {
        const value = configValueAt(parsed, path)
        return withConfigValue(tree, path, isDeepStrictEqual(value, configValueAt(files, path)) ? undefined : value)
      }, before)
    })
  } catch (error) {
    const one =
      error instanceof ConfigError &&
      changes.find(({ path }) => error.key === path.join('.') || error.key?.startsWith(`${path.join('.')}.`))
    throw one ? invalidParams([wrong(one.name, one.value, `Expected ${(error as ConfigError).expected}`)]) : error
  }
  return customConfigShape()
}

/** Takes back everything that was set: the files count again. */
export async function deleteCustomConfig(): Promise<ConfigTree> {
  assertAllowed()
  await updateAdminOverrides(() => ({}))
  return customConfigShape()
}

function assertAllowed(): void {
  if (!config.webadmin.configuration.edition.allowed)
    throw new Problem(405, null, 'The configuration of this instance can only be changed in its files.')
}

function wrong(path: string, value: unknown, msg: string): InvalidParam {
  return { type: 'field', value, msg, path, location: 'body' }
}
