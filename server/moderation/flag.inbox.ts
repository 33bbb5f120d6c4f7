import { ABUSE_PREDEFINED_REASONS } from '../../shared/abuses.ts'
import { config } from '../core/config.ts'
import { acquireClassLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { resolveActivityActor } from '../actors/follow.inbox.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, isObject, listOf, textOf } from '../fediverse/vocabulary.ts'
import { cleanText } from '../fediverse/text-limits.ts'
import { storeAbuse } from './abuses.ts'
import type { AbuseReport, AbuseTarget } from './abuse-report.ts'
import { ABUSE_FEDERATION } from './abuse-internals.ts'

const MAX_REASON_LENGTH = 3000
const MAX_SECOND = 2 ** 31 - 1

/** Registers the handler for reports of other servers; called once at start. */
export function registerFlagHandler(): void {
  onActivity('Flag', handleFlag)
}

/**
 * Stores one report for each local object that is named: public and unlisted videos, comments below them, accounts. Mastodon may give no
 * reason.
 */
async function handleFlag(incoming: IncomingActivity): Promise<boolean> {
  const { maxObjects } = ABUSE_FEDERATION
  const urls = [
    ...new Set(
      listOf(incoming.object)
        .map(one => httpUrl(idOf(one)))
        .filter(url => url !== null)
    )
  ].slice(0, maxObjects)
  const targets = await findTargets(urls)
  if (targets.length === 0) return false
  const actor = await resolveActivityActor(incoming)
  const [reporter] = await runQuery<{ id: number }>(sql`SELECT id FROM accounts WHERE actor_id = ${actor.id}`)
  const host = hostOf(incoming.actor)
  const report = parseFlag(incoming, reporter?.id ?? null, host)
  return await transaction(async tx => {
    await acquireClassLock('REPORTS_OF_HOST', host, tx)
    const [row] = await runQuery<{ pending: number }>(
      sql`SELECT count(*)::int AS pending FROM abuses WHERE reporter_host = ${host} AND state = 1`,
      tx
    )
    const remaining = config.federation.abuses.max_pending_per_host - row!.pending
    // The limit keeps one host from flooding the moderators' list (docs/federation.md#hidden-objects).
    for (const target of targets.slice(0, Math.max(0, remaining))) await storeAbuse(report, target, tx)
    return remaining > 0
  })
}

function parseFlag({ id, activity }: IncomingActivity, reporterId: number | null, reporterHost: string): AbuseReport {
  const names = listOf(activity.tag)
    .filter(isObject)
    .map(tag => String(tag.name).replace(/^#/, ''))
  return {
    url: id,
    reason: cleanText(textOf(activity, 'content') ?? '', MAX_REASON_LENGTH) ?? '',
    predefinedReasons: ABUSE_PREDEFINED_REASONS.filter(reason => names.includes(reason)),
    reporterId,
    reporterHost,
    startAt: parseSecond(activity.startAt),
    endAt: parseSecond(activity.endAt)
  }
}

async function findTargets(urls: string[]): Promise<AbuseTarget[]> {
  return await runQuery<AbuseTarget>(sql`
    SELECT 'video' AS kind, v.id, v.url, c.account_id AS "flaggedId" FROM videos v JOIN channels c ON c.id = v.channel_id
      WHERE v.url = ANY(${urls}) AND NOT v.remote AND v.privacy IN (1, 2) AND v.state = 1
    UNION ALL
    SELECT 'comment', m.id, m.url, m.account_id FROM comments m JOIN videos v ON v.id = m.video_id
      WHERE m.url = ANY(${urls}) AND m.deleted_at IS NULL AND NOT m.held AND (NOT m.remote OR NOT v.remote) AND v.privacy IN (1, 2)
    UNION ALL
    SELECT 'account', a.id, actors.url, a.id FROM accounts a JOIN actors ON actors.id = a.actor_id
      WHERE actors.url = ANY(${urls}) AND actors.host IS NULL`)
}

function parseSecond(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= MAX_SECOND ? Math.floor(value) : null
}
