import { registerActorCollection, type CollectionQuery } from '../actors/activitypub-response.ts'
import { runQuery, sql } from '../core/sql.ts'
import { videoCreateActivity, videoAnnounceActivity } from './video.outbox.ts'
import { findLocalVideo } from './local-video.query.ts'

/** Registers the outbox collections of actors, newest first: Create activities for accounts, Announce for channels and the instance. */
export function registerOutboxCollections(): void {
  registerActorCollection('outbox', ({ id, url, type }) => (type === 'Person' ? createActivitiesOf(id) : announceActivitiesOf(id, url)))
}

/** Condition on `videos v`: listed in outboxes. */
const IS_LISTED = sql`v.federated AND v.state = 1 AND v.privacy = 1 AND NOT v.remote`

function createActivitiesOf(actorId: number): CollectionQuery {
  return async (start, count) => {
    const from = sql`FROM videos v JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id
      WHERE a.actor_id = ${actorId} AND ${IS_LISTED}`
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total ${from}`)
    const rows = await runQuery<{ id: number }>(
      sql`SELECT v.id ${from} ORDER BY v.published_at DESC, v.id DESC LIMIT ${count} OFFSET ${start}`
    )
    const videos = await Promise.all(rows.map(async row => await findLocalVideo(row.id)))
    return { total: row!.total, items: videos.filter(video => video !== null).map(video => videoCreateActivity(video)) }
  }
}

function announceActivitiesOf(actorId: number, actorUrl: string): CollectionQuery {
  return async (start, count) => {
    const from = sql`FROM video_shares s JOIN videos v ON v.id = s.video_id WHERE s.actor_id = ${actorId} AND ${IS_LISTED}`
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total ${from}`)
    const rows = await runQuery<{ id: number; url: string }>(
      sql`SELECT v.id, s.url ${from} ORDER BY v.published_at DESC, v.id DESC LIMIT ${count} OFFSET ${start}`
    )
    const items = await Promise.all(
      rows.map(async share => {
        const video = await findLocalVideo(share.id)
        // With `published` a crawler can stop at the activities that it knows already.
        return (
          video && {
            ...videoAnnounceActivity(video, { url: share.url, actor: actorUrl }),
            published: video.object.published!.toISOString()
          }
        )
      })
    )
    return { total: row!.total, items: items.filter(item => item !== null) }
  }
}
