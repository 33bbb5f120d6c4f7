import { ABUSE_PREDEFINED_REASONS } from '../../shared/abuses.ts'
import { config } from '../core/config.ts'
import { acquireClassLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { resolveActivityActor } from '../actors/follow.inbox.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, isObject, listOf } from '../fediverse/vocabulary.ts'
import { cleanText } from '../fediverse/text-limits.ts'
import { storeAbuse } from './abuses.ts'
import type { AbuseReport, AbuseTarget } from './abuse-report.ts'

const LONGEST = 3000
const LAST_SECOND = 2 ** 31 - 1

/** Hears what moderators of other servers, or their users, report of ours. */
export function registerFlagHandler(): void {
  onActivity('Flag', receiveFlag)
}

/**
 * One report for each thing of ours that is named: videos that everybody may open, what is said below them, accounts. Mastodon gives no
 * reason at times.
 */
async function receiveFlag(incoming: IncomingActivity): Promise<boolean> {
  const { max_objects } = config.federation.abuses
  const urls = [
    ...new Set(
      listOf(incoming.object)
        .map(one => httpUrl(idOf(one)))
        .filter(url => url !== null)
    )
  ].slice(0, max_objects)
  const targets = await targetsOf(urls)
  if (targets.length === 0) return false
  const actor = await resolveActivityActor(incoming)
  const [reporter] = await runQuery<{ id: number }>(sql`SELECT id FROM accounts WHERE actor_id = ${actor.id}`)
  const host = hostOf(incoming.actor)
  const report = readFlag(incoming, reporter?.id ?? null, host)
  return await transaction(async inside => {
    await acquireClassLock('REPORTS_OF_HOST', host, inside)
    const [row] = await runQuery<{ pending: number }>(
      sql`SELECT count(*)::int AS pending FROM abuses WHERE reporter_host = ${host} AND state = 1`,
      inside
    )
    const room = config.federation.abuses.max_pending_per_host - row!.pending
    // Nobody fills the moderators' list (docs/federation.md#hidden-objects).
    for (const target of targets.slice(0, Math.max(0, room))) await storeAbuse(report, target, inside)
    return room > 0
  })
}

function readFlag({ id, activity }: IncomingActivity, reporterId: number | null, reporterHost: string): AbuseReport {
  const names = listOf(activity.tag)
    .filter(isObject)
    .map(tag => String(tag.name).replace(/^#/, ''))
  return {
    url: id,
    reason: (typeof activity.content === 'string' ? cleanText(activity.content, LONGEST) : null) ?? '',
    predefinedReasons: ABUSE_PREDEFINED_REASONS.filter(reason => names.includes(reason)),
    reporterId,
    reporterHost,
    startAt: second(activity.startAt),
    endAt: second(activity.endAt)
  }
}

async function targetsOf(urls: string[]): Promise<AbuseTarget[]> {
  return await runQuery<AbuseTarget>(sql`
    SELECT 'video' AS kind, v.id, v.url, c.account_id AS "flaggedId" FROM videos v JOIN channels c ON c.id = v.channel_id WHERE v.url = ANY(${urls}) AND NOT v.remote AND v.privacy IN (1, 2) AND v.state = 1
    UNION ALL
    SELECT 'comment', m.id, m.url, m.account_id FROM comments m JOIN videos v ON v.id = m.video_id WHERE m.url = ANY(${urls}) AND m.deleted_at IS NULL AND NOT m.held AND (NOT m.remote OR NOT v.remote) AND v.privacy IN (1, 2)
    UNION ALL
    SELECT 'account', a.id, actors.url, a.id FROM accounts a JOIN actors ON actors.id = a.actor_id WHERE actors.url = ANY(${urls}) AND actors.host IS NULL`)
}

function second(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= LAST_SECOND ? Math.floor(value) : null
}
