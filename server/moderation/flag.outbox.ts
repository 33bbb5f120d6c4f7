import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import type { AbuseReport, AbuseTarget } from './abuse-report.ts'

/** Sends a report to the server of the reported account, as the reporter, within the transaction of the report. */
export async function sendFlag(
  { url, reason, predefinedReasons, reporterId, startAt, endAt }: AbuseReport,
  target: AbuseTarget,
  tx: Transaction
): Promise<void> {
  const [owner] = await runQuery<{ url: string; inbox: string; reporter: string }>(
    sql`
    SELECT owner.url, coalesce(owner.shared_inbox_url, owner.inbox_url) AS inbox, reporter.url AS reporter FROM accounts a
      JOIN actors owner ON owner.id = a.actor_id, accounts ra JOIN actors reporter ON reporter.id = ra.actor_id
    WHERE a.id = ${target.flaggedId} AND owner.host IS NOT NULL AND ra.id = ${reporterId}`,
    tx
  )
  if (!owner || !config.federation.enabled) return
  const tag = predefinedReasons.map(name => ({ type: 'Hashtag', name }))
  const timeRange = { ...(startAt === null ? {} : { startAt }), ...(endAt === null ? {} : { endAt }) }
  await enqueueActivity(
    {
      activity: {
        to: [owner.url],
        cc: [],
        type: 'Flag',
        id: url,
        actor: owner.reporter,
        content: reason,
        mediaType: 'text/markdown',
        object: target.url,
        tag,
        ...timeRange
      },
      kind: 'flag',
      audience: { inboxes: [owner.inbox] },
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: url
    },
    tx
  )
}
