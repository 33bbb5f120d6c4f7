import { z } from 'zod'
import { config, ConfigError, configWithOverrides, isConfigTree, replaceConfig, type ConfigTree } from './config.ts'
import { emitEvent, onEvent } from './events.ts'
import { logger } from './logger.ts'
import { queryAs, runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'

const Row = z.object({ revision: z.coerce.number(), settings: z.record(z.string(), z.unknown()) })
let known = 0

/**
 * Takes over what administrators have set on the site's pages, and every change of it until `stop`. It lies over the configuration's files
 * and stands in Postgres (law 1); every process reads it at its start, is told of changes, looks now and then by itself, and looks before
 * it does what must not be done by old values.
 */
export async function startAdminOverrides(): Promise<{ stop(): void }> {
  known = 0
  await refreshAdminOverrides()
  const timer = setInterval(
    () =>
      void refreshAdminOverrides().catch(error =>
        logger.warn('Changes of the configuration cannot be looked for', { reason: (error as Error).message })
      ),
    config.webadmin.configuration.check_interval
  )
  return { stop: () => clearInterval(timer) }
}

/** Hears of changes that other processes make. */
export function listenForAdminOverrides(): void {
  onEvent('config.changed', refreshAdminOverrides)
}

/** Afterwards this process's configuration is not older than the call. */
export async function refreshAdminOverrides(): Promise<void> {
  const [row] = await queryAs(Row, sql`SELECT revision, settings FROM custom_config WHERE revision > ${known}`)
  // Of two that looked at once the later change stays.
  if (!row || row.revision <= known) return
  const first = known === 0
  known = row.revision
  if (first && Object.keys(row.settings).length === 0) return
  replaceConfig(acceptable(row.settings))
}

/** Changes what is set, in every process; `change` gets what is set now. Throws ConfigError, and then nothing has changed. */
export async function updateAdminOverrides(change: (settings: ConfigTree) => ConfigTree): Promise<void> {
  await transaction(async inside => {
    const [row] = await queryAs(Row, sql`SELECT revision, settings FROM custom_config FOR UPDATE`, inside)
    const next = change(row!.settings)
    configWithOverrides(next)
    await runQuery(sql`UPDATE custom_config SET revision = revision + 1, settings = ${JSON.stringify(next)}::jsonb`, inside)
  })
  await refreshAdminOverrides()
  emitEvent('config.changed', {})
}

/** A tree with one value changed, undefined takes it away; groups that become empty go. */
export function withConfigValue(tree: ConfigTree, [first, ...rest]: string[], value: unknown): ConfigTree {
  const { [first!]: below, ...others } = tree
  const next = rest.length === 0 ? value : withConfigValue(isConfigTree(below) ? below : {}, rest, value)
  return next === undefined || (isConfigTree(next) && Object.keys(next).length === 0) ? others : { ...others, [first!]: next }
}

/** Every value of a tree with its path. */
export function configLeaves(tree: ConfigTree, path: string[] = []): [path: string[], value: unknown][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isConfigTree(value) ? configLeaves(value, [...path, key]) : [[[...path, key], value] as [string[], unknown]]
  )
}

/** What another version stored may be unknown to this one; it is left out, and everything else counts. */
function acceptable(settings: ConfigTree): ReturnType<typeof configWithOverrides> {
  try {
    return configWithOverrides(settings)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
  let good: ConfigTree = {}
  for (const [path, value] of configLeaves(settings)) {
    const next = withConfigValue(good, path, value)
    try {
      configWithOverrides(next)
      good = next
    } catch (error) {
      logger.warn('A value that was set on the site is not known to this version', {
        key: path.join('.'),
        reason: (error as Error).message
      })
    }
  }
  return configWithOverrides(good)
}
