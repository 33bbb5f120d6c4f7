import { registerActorCollection, type CollectionQuery } from '../actors/activitypub-response.ts'
import { runQuery, sql } from '../core/sql.ts'
import { videoCreateActivity, videoAnnounceActivity } from './video.outbox.ts'
import { findLocalVideo } from './local-video.query.ts'

/** Fills the outboxes of actors with what they published: accounts with Create, channels and the instance with Announce; newest first. */
export function registerOutboxCollections(): void {
  registerActorCollection('outbox', ({ id, url, type }) => (type === 'Person' ? createsOf(id) : announcesOf(id, url)))
}

const PUBLISHED = sql`v.federated AND v.state = 1 AND v.privacy = 1 AND NOT v.remote`

function createsOf(actorId: number): CollectionQuery {
  return async (start, count) => {
    const from = sql`FROM videos v JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id WHERE a.actor_id = ${actorId} AND ${PUBLISHED}`
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total ${from}`)
    const rows = await runQuery<{ id: number }>(
      sql`SELECT v.id ${from} ORDER BY v.published_at DESC, v.id DESC LIMIT ${count} OFFSET ${start}`
    )
    const videos = await Promise.all(rows.map(async one => await findLocalVideo(one.id)))
    return { total: row!.total, items: videos.filter(video => video !== null).map(video => videoCreateActivity(video)) }
  }
}

function announcesOf(actorId: number, actor: string): CollectionQuery {
  return async (start, count) => {
    const from = sql`FROM video_shares s JOIN videos v ON v.id = s.video_id WHERE s.actor_id = ${actorId} AND ${PUBLISHED}`
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total ${from}`)
    const rows = await runQuery<{ id: number; url: string }>(
      sql`SELECT v.id, s.url ${from} ORDER BY v.published_at DESC, v.id DESC LIMIT ${count} OFFSET ${start}`
    )
    const items = await Promise.all(
      rows.map(async share => {
        const video = await findLocalVideo(share.id)
        // When it was published lets a reader stop at what it knows.
        return video && { ...videoAnnounceActivity(video, { url: share.url, actor }), published: video.object.published.toISOString() }
      })
    )
    return { total: row!.total, items: items.filter(item => item !== null) }
  }
}
