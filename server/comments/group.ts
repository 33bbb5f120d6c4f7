import { createHash } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { run, sql } from '../core/sql.ts'
import { LANE, send } from '../fediverse/outbox.ts'
import { PUBLIC } from '../fediverse/vocabulary.ts'
import type { Row } from './comment.row.ts'

/**
 * The channel of a public video of ours announces what happens below it to those who take it for a group (FEP-1b12: Lemmy, Mbin, NodeBB).
 * Instances of PeerTube's kind, which get the activity itself, are left out.
 */
export async function announceInGroup(row: Pick<Row, 'url' | 'video_id'>, activity: { id?: unknown, type?: unknown }, inside: Transaction): Promise<void> {
  const found = await run<{ channel: string, inbox: string }>(sql`
    SELECT DISTINCT channel.url AS channel, coalesce(follower.shared_inbox_url, follower.inbox_url) AS inbox FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors channel ON channel.id = c.actor_id
      JOIN follows f ON f.target_id = channel.id AND f.state = 'accepted' JOIN actors follower ON follower.id = f.actor_id
    WHERE v.id = ${row.video_id} AND NOT v.remote AND v.federated AND v.privacy = 1 AND follower.host IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM actors site WHERE site.host = follower.host AND site.type = 'Application' AND site.preferred_username = 'peertube')`, inside)
  if (found.length === 0) return
  const actor = found[0]!.channel
  const { '@context': _context, ...object } = activity as { [key: string]: unknown }
  const mark = createHash('sha256').update(String(activity.id)).digest('hex').slice(0, 24)
  await send({
    activity: { type: 'Announce', id: `${actor}/announces/${mark}`, actor, to: [PUBLIC], cc: [`${actor}/followers`], object }, kind: 'comment', audience: { inboxes: found.map(({ inbox }) => inbox) }, lane: LANE.PUBLISH, subject: row.url
  }, inside)
}
