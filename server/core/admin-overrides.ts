import { z } from 'zod'
import { config, ConfigError, configWith, isTree, replaceConfig, type Tree } from './config.ts'
import { emit, on } from './events.ts'
import { logger } from './logger.ts'
import { query, run, sql } from './sql.ts'
import { transaction } from './transaction.ts'

const Row = z.object({ revision: z.coerce.number(), settings: z.record(z.string(), z.unknown()) })
let known = 0

/**
 * Takes over what administrators have set on the site's pages, and every change of it until `stop`. It lies over the configuration's files
 * and stands in Postgres (law 1); every process reads it at its start, is told of changes, looks now and then by itself, and looks before
 * it does what must not be done by old values.
 */
export async function followCustomized(): Promise<{ stop(): void }> {
  known = 0
  await lookAtCustomized()
  const timer = setInterval(
    () =>
      void lookAtCustomized().catch(error =>
        logger.warn('Changes of the configuration cannot be looked for', { reason: (error as Error).message })
      ),
    config.webadmin.configuration.check_interval
  )
  return { stop: () => clearInterval(timer) }
}

/** Hears of changes that other processes make. */
export function listenForCustomized(): void {
  on('config.changed', lookAtCustomized)
}

/** Afterwards this process's configuration is not older than the call. */
export async function lookAtCustomized(): Promise<void> {
  const [row] = await query(Row, sql`SELECT revision, settings FROM custom_config WHERE revision > ${known}`)
  // Of two that looked at once the later change stays.
  if (!row || row.revision <= known) return
  const first = known === 0
  known = row.revision
  if (first && Object.keys(row.settings).length === 0) return
  replaceConfig(acceptable(row.settings))
}

/** Changes what is set, in every process; `change` gets what is set now. Throws ConfigError, and then nothing has changed. */
export async function customize(change: (settings: Tree) => Tree): Promise<void> {
  await transaction(async inside => {
    const [row] = await query(Row, sql`SELECT revision, settings FROM custom_config FOR UPDATE`, inside)
    const next = change(row!.settings)
    configWith(next)
    await run(sql`UPDATE custom_config SET revision = revision + 1, settings = ${JSON.stringify(next)}::jsonb`, inside)
  })
  await lookAtCustomized()
  emit('config.changed', {})
}

/** A tree with one value changed, undefined takes it away; groups that become empty go. */
export function withValue(tree: Tree, [first, ...rest]: string[], value: unknown): Tree {
  const { [first!]: below, ...others } = tree
  const next = rest.length === 0 ? value : withValue(isTree(below) ? below : {}, rest, value)
  return next === undefined || (isTree(next) && Object.keys(next).length === 0) ? others : { ...others, [first!]: next }
}

/** Every value of a tree with its path. */
export function leaves(tree: Tree, path: string[] = []): [path: string[], value: unknown][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isTree(value) ? leaves(value, [...path, key]) : [[[...path, key], value] as [string[], unknown]]
  )
}

/** What another version stored may be unknown to this one; it is left out, and everything else counts. */
function acceptable(settings: Tree): ReturnType<typeof configWith> {
  try {
    return configWith(settings)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
  }
  let good: Tree = {}
  for (const [path, value] of leaves(settings)) {
    const next = withValue(good, path, value)
    try {
      configWith(next)
      good = next
    } catch (error) {
      logger.warn('A value that was set on the site is not known to this version', {
        key: path.join('.'),
        reason: (error as Error).message
      })
    }
  }
  return configWith(good)
}
