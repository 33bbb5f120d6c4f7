import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { deleteExpiredDeliveries } from './outgoing.query.ts'
import { OUTBOX } from './outbox-internals.ts'

/** Deletes deliveries that could not be sent in time, and activities that have no deliveries left. */
export const sweepOutbox = defineJob({
  name: 'sweep-outbox',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => OUTBOX.sweepInterval,
  run: async () => {
    const { keep } = config.federation.outbox
    const { maxHeld, signatureMemory } = OUTBOX
    await deleteExpiredDeliveries()
    await runQuery(sql`
      WITH late AS (DELETE FROM deliveries WHERE created_at < now() - ${sqlInterval(keep)} RETURNING host, created_at)
      UPDATE peers SET suspended_at = coalesce(suspended_at, now()), missed_since = least(missed_since, late.since)
      FROM (SELECT host, min(created_at) AS since FROM late GROUP BY host) AS late WHERE peers.host = late.host AND peers.failures > 0`)
    await runQuery(sql`
      WITH ranked AS (SELECT d.id, d.host, d.created_at, row_number() OVER (PARTITION BY d.host ORDER BY d.id DESC) AS place
        FROM deliveries d JOIN peers p ON p.host = d.host WHERE p.open_until > now() AND d.lane > 0),
        over AS (DELETE FROM deliveries USING ranked WHERE ranked.id = deliveries.id AND ranked.place > ${maxHeld}
          RETURNING deliveries.host, deliveries.created_at)
      UPDATE peers SET missed_since = least(missed_since, over.since)
      FROM (SELECT host, min(created_at) AS since FROM over GROUP BY host) AS over WHERE peers.host = over.host`)
    await runQuery(sql`UPDATE peers SET signature = NULL WHERE signature_at < now() - ${sqlInterval(signatureMemory)}`)
    await runQuery(
      sql`DELETE FROM outgoing WHERE coalesce(fanned_out_at, set_aside_at) < now() - ${sqlInterval(keep)}
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.outgoing_id = outgoing.id)`
    )
  }
})
