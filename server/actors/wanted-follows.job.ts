import { z } from 'zod'
import { UnresolvedFollow } from '../../shared/follows.ts'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { queryAs, runQuery, sql, sqlInterval } from '../core/sql.ts'
import { FetchError } from '../fediverse/remote-fetch.ts'
import { ActorModel } from './actor.model.ts'
import { isoTimestampSql } from './actor.shape.ts'
import { followActor } from './follows.ts'
import { resolveHandle } from './resolve-actor.ts'
import { OUTBOX } from '../fediverse/outbox-internals.ts'

/** Stores that a local actor shall follow a handle and starts a first attempt in the background; `retryWantedFollows` repeats it. */
export async function followByHandle(actorId: number, handle: string): Promise<void> {
  await runQuery(
    sql`INSERT INTO wanted_follows (actor_id, handle) VALUES (${actorId}, ${handle})
      ON CONFLICT (actor_id, handle) DO UPDATE SET attempts = 0, not_before = now(), error = NULL, created_at = now()`
  )
  void retryDueFollows().catch(error => logger.warn('Wanted follows cannot be read', { error }))
}

/** Returns a page of the handles that a local actor shall follow and that are not resolved yet, newest first. */
export async function listWantedFollows(
  actorId: number,
  { start, count }: { start: number; count: number }
): Promise<{ total: number; data: UnresolvedFollow[] }> {
  const data = await queryAs(
    UnresolvedFollow,
    sql`
    SELECT handle, attempts, error, CASE WHEN isfinite(not_before) THEN ${isoTimestampSql(sql`not_before`)} END AS "nextTryAt",
      ${isoTimestampSql(sql`created_at`)} AS "createdAt"
    FROM wanted_follows WHERE actor_id = ${actorId} ORDER BY id DESC LIMIT ${count} OFFSET ${start}`
  )
  const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM wanted_follows WHERE actor_id = ${actorId}`)
  return { total: row!.total, data }
}

/** Cancels the follow of a handle that is not resolved yet; returns false if there is none. */
export async function cancelWantedFollow(actorId: number, handle: string): Promise<boolean> {
  return (
    (
      await runQuery(
        sql`DELETE FROM wanted_follows WHERE actor_id = ${actorId} AND lower(handle) = lower(${handle.replace(/^@/, '')}) RETURNING id`
      )
    ).length > 0
  )
}

/** Retries to follow the handles that could not be resolved. */
export const retryWantedFollows = defineJob({
  name: 'activitypub-follow',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => OUTBOX.checkInterval,
  run: async () => await retryDueFollows()
})

async function retryDueFollows(): Promise<void> {
  // Handles that could not be resolved for `federation.outbox.keep` are given up.
  await runQuery(
    sql`DELETE FROM wanted_follows
      WHERE created_at < now() - ${sqlInterval(config.federation.outbox.keep)}`
  )
  for (;;) {
    const processed = await transaction(async tx => {
      const [row] = await runQuery<{ id: number; actor_id: number; handle: string; attempts: number }>(
        sql`
        SELECT id, actor_id, handle, attempts FROM wanted_follows WHERE not_before <= now() ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
        tx
      )
      if (!row) return false
      const error = await tryFollow(row.actor_id, row.handle)
      const { retryDelay, maxRetryDelay } = OUTBOX
      // What is not there yet, as a channel in its first seconds has no key, may be there later.
      const isPermanent = error?.kind === 'refused'
      const delay = Math.min(maxRetryDelay, retryDelay * 3 ** row.attempts)
      if (error === null) await runQuery(sql`DELETE FROM wanted_follows WHERE id = ${row.id}`, tx)
      // A handle that can never be followed stays listed for the administrator.
      else
        await runQuery(
          sql`
        UPDATE wanted_follows SET attempts = attempts + 1, error = ${error.message},
          not_before = ${isPermanent ? sql`'infinity'` : sql`now() + ${sqlInterval(delay)}`}
        WHERE id = ${row.id}`,
          tx
        )
      if (isPermanent) logger.info('Somebody who was to be followed cannot be', { handle: row.handle, reason: error.message })
      return true
    })
    if (!processed) return
  }
}

async function tryFollow(actorId: number, handle: string): Promise<FetchError | null> {
  const actor = await ActorModel.findByPk(actorId, { rejectOnEmpty: true })
  try {
    await followActor(actor, await resolveHandle(handle))
    return null
  } catch (error) {
    if (error instanceof FetchError) return error
    throw error
  }
}
