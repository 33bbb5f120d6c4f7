import { z } from 'zod'
import { UnresolvedFollow } from '../../shared/follows.ts'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { ActorModel } from './actor.model.ts'
import { isoTimestampSql } from './actor.shape.ts'
import { followActor } from './follows.ts'
import { resolveHandle } from './resolve-actor.ts'

/** Notes that a local actor wants to follow whoever has this handle, and tries at once; what cannot be found now is looked for again. */
export async function followByHandle(actorId: number, handle: string): Promise<void> {
  await runQuery(
    sql`INSERT INTO wanted_follows (actor_id, handle) VALUES (${actorId}, ${handle}) ON CONFLICT (actor_id, handle) DO UPDATE SET attempts = 0, not_before = now(), error = NULL, created_at = now()`
  )
  void tryWanted().catch(error => logger.warn('Wanted follows cannot be read', { error }))
}

/** Whom a local actor wants to follow and has not found yet, the newest first. */
export async function listWantedFollows(
  actorId: number,
  { start, count }: { start: number; count: number }
): Promise<{ total: number; data: UnresolvedFollow[] }> {
  const data = await queryAs(
    UnresolvedFollow,
    sql`
    SELECT handle, attempts, error, CASE WHEN isfinite(not_before) THEN ${isoTimestampSql(sql`not_before`)} END AS "nextTryAt", ${isoTimestampSql(sql`created_at`)} AS "createdAt"
    FROM wanted_follows WHERE actor_id = ${actorId} ORDER BY id DESC LIMIT ${count} OFFSET ${start}`
  )
  const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM wanted_follows WHERE actor_id = ${actorId}`)
  return { total: row!.total, data }
}

/** Looks for somebody no longer; false: nobody wanted to follow them. */
export async function cancelWantedFollow(actorId: number, handle: string): Promise<boolean> {
  return (
    (
      await runQuery(
        sql`DELETE FROM wanted_follows WHERE actor_id = ${actorId} AND lower(handle) = lower(${handle.replace(/^@/, '')}) RETURNING id`
      )
    ).length > 0
  )
}

/** Looks for those who are to be followed and were not found. */
export const retryWantedFollows = defineJob({
  name: 'activitypub-follow',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.federation.outbox.check_interval,
  run: async () => await tryWanted()
})

async function tryWanted(): Promise<void> {
  // Whoever was not found in all that time is looked for no longer.
  await runQuery(
    sql`DELETE FROM wanted_follows WHERE created_at < now() - make_interval(secs => ${config.federation.outbox.keep / 1000}::double precision)`
  )
  for (;;) {
    const more = await transaction(async inside => {
      const [row] = await runQuery<{ id: number; actor_id: number; handle: string; attempts: number }>(
        sql`
        SELECT id, actor_id, handle, attempts FROM wanted_follows WHERE not_before <= now() ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
        inside
      )
      if (!row) return false
      const error = await tryOne(row.actor_id, row.handle)
      const { retry_delay, max_retry_delay } = config.federation.outbox
      const hopeless = error !== null && !['unreachable', 'budget'].includes(error.kind)
      const delay = Math.min(max_retry_delay, retry_delay * 3 ** row.attempts)
      if (error === null) await runQuery(sql`DELETE FROM wanted_follows WHERE id = ${row.id}`, inside)
      // Somebody who is not there stays for the administrator to see.
      else
        await runQuery(
          sql`
        UPDATE wanted_follows SET attempts = attempts + 1, error = ${error.message}, not_before = ${hopeless ? sql`'infinity'` : sql`now() + make_interval(secs => ${delay / 1000}::double precision)`} WHERE id = ${row.id}`,
          inside
        )
      if (hopeless) logger.info('Somebody who was to be followed is not there', { handle: row.handle, reason: error.message })
      return true
    })
    if (!more) return
  }
}

async function tryOne(actorId: number, handle: string): Promise<FetchError | null> {
  const actor = await ActorModel.findByPk(actorId, { rejectOnEmpty: true })
  try {
    await followActor(actor, await resolveHandle(handle))
    return null
  } catch (error) {
    if (error instanceof FetchError) return error
    throw error
  }
}
