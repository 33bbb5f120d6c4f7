import { z } from 'zod'
import { config, ConfigError, configWithOverrides, isConfigTree, replaceConfig, type ConfigTree } from './config.ts'
import { emitEvent, onEvent } from './events.ts'
import { logger } from './logger.ts'
import { runAsBackgroundWork } from './request-context.ts'
import { queryAs, runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'

const OverridesRow = z.object({ revision: z.coerce.number(), settings: z.record(z.string(), z.unknown()) })
let appliedRevision = 0

/**
 * Applies the settings that administrators changed on the site, and every later change until `stop`. They override the configuration files
 * and are stored in Postgres (ARCHITECTURE.md, rule 1). Every process reads them at start, on the event `config.changed`, every
 * `webadmin.configuration.check_interval`, and before an action that must not use outdated values.
 */
export async function startAdminOverrides(): Promise<{ stop(): void }> {
  appliedRevision = 0
  await refreshAdminOverrides()
  const timer = setInterval(
    () => void refreshAdminOverrides().catch(error => logger.warn('Changes of the configuration cannot be looked for', { error })),
    config.webadmin.configuration.check_interval
  )
  return { stop: () => clearInterval(timer) }
}

/** Rereads the overrides when another process emits `config.changed`. */
export function listenForAdminOverrides(): void {
  onEvent('config.changed', refreshAdminOverrides)
}

/** Rereads the overrides if their revision changed: the configuration of this process is then at least as recent as the call. */
export async function refreshAdminOverrides(): Promise<void> {
  const [row] = await queryAs(OverridesRow, sql`SELECT revision, settings FROM custom_config WHERE revision > ${appliedRevision}`)
  // Of two concurrent reads the later revision wins.
  if (!row || row.revision <= appliedRevision) return
  const isFirstRead = appliedRevision === 0
  appliedRevision = row.revision
  if (isFirstRead && Object.keys(row.settings).length === 0) return
  replaceConfig(configWithKnownSettings(row.settings))
}

/** Stores what `change` makes of the current overrides, for every process. Throws ConfigError and then changes nothing. */
export async function updateAdminOverrides(change: (settings: ConfigTree) => ConfigTree): Promise<void> {
  await runAsBackgroundWork(async () => {
    await transaction(async tx => {
      const [row] = await queryAs(OverridesRow, sql`SELECT revision, settings FROM custom_config FOR UPDATE`, tx)
      const next = change(row!.settings)
      configWithOverrides(next)
      await runQuery(sql`UPDATE custom_config SET revision = revision + 1, settings = ${JSON.stringify(next)}::jsonb`, tx)
    })
    await refreshAdminOverrides()
  })
  emitEvent('config.changed', {})
}

/** Returns a copy of the tree with one value set, or removed if `undefined`; groups that become empty are removed. */
export function withConfigValue(tree: ConfigTree, [key, ...rest]: string[], value: unknown): ConfigTree {
  const { [key!]: child, ...others } = tree
  const next = rest.length === 0 ? value : withConfigValue(isConfigTree(child) ? child : {}, rest, value)
  return next === undefined || (isConfigTree(next) && Object.keys(next).length === 0) ? others : { ...others, [key!]: next }
}

/** Returns every value of the tree with its path. */
export function configLeaves(tree: ConfigTree, path: string[] = []): [path: string[], value: unknown][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isConfigTree(value) ? configLeaves(value, [...path, key]) : [[[...path, key], value] as [string[], unknown]]
  )
}

/** Applies the stored settings without those that this version does not know: another version may have stored them. */
function configWithKnownSettings(settings: ConfigTree): ReturnType<typeof configWithOverrides> {
  try {
    return configWithOverrides(settings)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
  let accepted: ConfigTree = {}
  for (const [path, value] of configLeaves(settings)) {
    const next = withConfigValue(accepted, path, value)
    try {
      configWithOverrides(next)
      accepted = next
    } catch (error) {
      logger.warn('A value that was set on the site is not known to this version', {
        key: path.join('.'),
        reason: (error as Error).message
      })
    }
  }
  return configWithOverrides(accepted)
}
