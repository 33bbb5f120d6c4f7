import { createHash } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { runQuery, sql } from '../core/sql.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'

/** A received or sent activity about a comment below a video. */
export type CommentEvent = { url: string; videoId: number; activity: { id?: unknown; type?: unknown } }

/**
 * Announces activities about comments below local public videos, as the channel, to followers that treat it as a group (FEP-1b12: Lemmy,
 * Mbin, NodeBB). Omits PeerTube-like instances, which receive the activity itself.
 */
export async function announceToGroupFollowers(events: CommentEvent[], tx: Transaction): Promise<void> {
  const groupFollowers = await runQuery<{ video_id: number; channel: string; inbox: string }>(
    sql`
    SELECT DISTINCT v.id AS video_id, channel.url AS channel, coalesce(follower.shared_inbox_url, follower.inbox_url) AS inbox
      FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors channel ON channel.id = c.actor_id
      JOIN follows f ON f.target_id = channel.id AND f.state = 'accepted' JOIN actors follower ON follower.id = f.actor_id
    WHERE v.id = ANY(${[...new Set(events.map(({ videoId }) => videoId))]}::int[]) AND NOT v.remote AND v.federated AND v.privacy = 1
      AND follower.host IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM actors site WHERE site.host = follower.host AND site.type = 'Application'
        AND site.preferred_username = 'peertube')`,
    tx
  )
  for (const { url, videoId, activity } of events) {
    const followers = groupFollowers.filter(({ video_id }) => video_id === videoId)
    if (followers.length === 0) continue
    const actor = followers[0]!.channel
    const { '@context': _context, ...object } = activity as { [key: string]: unknown }
    const activityHash = createHash('sha256').update(String(activity.id)).digest('hex').slice(0, 24)
    await enqueueActivity(
      {
        activity: {
          type: 'Announce',
          id: `${actor}/announces/${activityHash}`,
          actor,
          to: [AS_PUBLIC],
          cc: [`${actor}/followers`],
          object
        },
        kind: 'comment',
        audience: { inboxes: followers.map(({ inbox }) => inbox) },
        lane: DELIVERY_PRIORITY.PUBLISH,
        subject: url
      },
      tx
    )
  }
}
