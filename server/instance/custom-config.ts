import { isDeepStrictEqual } from 'node:util'
import { config, ConfigError, configWith, type Tree } from '../core/config.ts'
import { customize, leaves, lookAtCustomized, withValue } from '../core/admin-overrides.ts'
import { invalid, Problem, type InvalidParam } from '../core/problem.ts'
import { configPath, customShape, EDITABLE, valueAt } from './custom-config.shape.ts'

/** What administrators see of the configuration. */
export async function readCustom(): Promise<Tree> {
  await lookAtCustomized()
  return customShape()
}

/**
 * Changes what a body in the shape of `readCustom` gives; what it leaves out stays. What is then as the files say is theirs again.
 * Throws 400 for a value that the configuration does not take or that only its files may change, and then nothing has changed; 405 where
 * the files allow no change.
 */
export async function changeCustom(body: Tree): Promise<Tree> {
  assertAllowed()
  const now = new Map(leaves(await readCustom()).map(([path, value]) => [path.join('.'), value]))
  const given = leaves(body).map(([path, value]) => ({ name: path.join('.'), value }))
  const fixed = given.filter(({ name, value }) => !EDITABLE.includes(name) && !isDeepStrictEqual(value, now.get(name)))
  if (fixed.length > 0)
    throw invalid(fixed.map(({ name, value }) => wrong(name, value, now.has(name) ? 'Cannot be changed here' : 'There is no such key')))
  const changes = given.filter(({ name }) => EDITABLE.includes(name)).map(({ name, value }) => ({ name, value, path: configPath(name) }))
  try {
    await customize(before => {
      const files = configWith({})
      const parsed = configWith(changes.reduce((tree, { path, value }) => withValue(tree, path, value), before))
      return changes.reduce((tree, { path }) => {
        const value = valueAt(parsed, path)
        return withValue(tree, path, isDeepStrictEqual(value, valueAt(files, path)) ? undefined : value)
      }, before)
    })
  } catch (error) {
    const one =
      error instanceof ConfigError &&
      changes.find(({ path }) => error.key === path.join('.') || error.key?.startsWith(`${path.join('.')}.`))
    throw one ? invalid([wrong(one.name, one.value, `Expected ${(error as ConfigError).expected}`)]) : error
  }
  return customShape()
}

/** Takes back everything that was set: the files count again. */
export async function forgetCustom(): Promise<Tree> {
  assertAllowed()
  await customize(() => ({}))
  return customShape()
}

function assertAllowed(): void {
  if (!config.webadmin.configuration.edition.allowed)
    throw new Problem(405, null, 'The configuration of this instance can only be changed in its files.')
}

function wrong(path: string, value: unknown, msg: string): InvalidParam {
  return { type: 'field', value, msg, path, location: 'body' }
}
