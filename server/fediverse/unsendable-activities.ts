import { z } from 'zod'
import { emitEvent } from '../core/events.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'

const UnsendableActivitySchema = z.object({
  id: z.coerce.number().int(),
  activityId: z.string().nullable(),
  type: z.string(),
  actor: z.string(),
  reason: z.string().nullable(),
  setAsideAt: z.date().transform(date => date.toISOString())
})

/** Lists activities that were set aside because they cannot be signed, the newest first; never what they contain. */
export async function listUnsendableActivities(
  start: number,
  count: number
): Promise<{ total: number; data: z.output<typeof UnsendableActivitySchema>[] }> {
  const data = await queryAs(
    UnsendableActivitySchema,
    sql`SELECT id, activity->>'id' AS "activityId", type, actor, sign_error AS reason, set_aside_at AS "setAsideAt" FROM outgoing
      WHERE set_aside_at IS NOT NULL ORDER BY set_aside_at DESC, id DESC LIMIT ${count} OFFSET ${start}`
  )
  const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM outgoing WHERE set_aside_at IS NOT NULL`)
  return { total: row!.total, data }
}

/** Has activities that were set aside signed and sent again, one or all; returns how many there are. */
export async function retryUnsendableActivities(id: number | null): Promise<number> {
  // None of those that have deliveries was sent: each is signed by the same actor.
  const retried = await runQuery(
    sql`UPDATE outgoing SET set_aside_at = NULL, sign_attempts = 0, sign_error = NULL, fanned_out_at = NULL, not_before = now()
      WHERE set_aside_at IS NOT NULL AND ${id === null ? sql`TRUE` : sql`id = ${id}`} RETURNING id`
  )
  emitEvent('outbox.filled', { lane: 0, delay: 0 })
  return retried.length
}
