import type { Transaction } from 'sequelize'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import type { Activity } from '../fediverse/vocabulary.ts'
import { countersDueSql } from '../videos/video.outbox.ts'

/** What somebody thinks of a video. */
export type VideoRating = 'like' | 'dislike' | 'none'
/** The activity of each. */
export const REACTION_ACTIVITY_TYPES = { like: 'Like', dislike: 'Dislike' } as const

type Place = { url: string; remote: boolean; inbox: string; owner: string }
type Stored = { id: number; url: string; type: 'like' | 'dislike' }

/** Sets what a local account thinks of a video; its origin is told. The same again changes nothing. */
export async function rateVideo(videoId: number, accountId: number, rating: VideoRating): Promise<void> {
  await transaction(async inside => {
    const before = await ratingRow(videoId, accountId, inside)
    if ((before?.type ?? 'none') === rating) return
    const [account] = await runQuery<{ url: string }>(
      sql`SELECT actors.url FROM accounts JOIN actors ON actors.id = accounts.actor_id WHERE accounts.id = ${accountId}`,
      inside
    )
    const place = await placeOf(videoId, inside)
    if (before) {
      await runQuery(sql`DELETE FROM reactions WHERE id = ${before.id}`, inside)
      if (place.remote)
        await tell(
          { type: 'Undo', id: `${before.url}/undo`, actor: account!.url, object: reactionActivity(before, account!.url, place.url) },
          place,
          before.url,
          inside
        )
    }
    if (rating !== 'none') {
      const [row] = await runQuery<Stored>(
        sql`
        WITH number AS (SELECT nextval('reactions_id_seq') AS id)
        INSERT INTO reactions (id, url, video_id, account_id, type) SELECT id, ${`${account!.url}/${rating}s/`}::text || id, ${videoId}, ${accountId}, ${rating} FROM number RETURNING id, url, type`,
        inside
      )
      if (place.remote) await tell(reactionActivity(row!, account!.url, place.url), place, row!.url, inside)
    }
    await count(videoId, place.remote ? [before?.type ?? 'none', rating] : null, inside)
  })
}

/** What a local account thinks of a video. */
export async function findVideoRating(videoId: number, accountId: number): Promise<VideoRating> {
  return (await ratingRow(videoId, accountId))?.type ?? 'none'
}

/** Notes what a remote account thinks of a video of ours. */
export async function storeRemoteReaction(reaction: {
  url: string
  videoId: number
  accountId: number
  type: 'like' | 'dislike'
}): Promise<void> {
  const { url, videoId, accountId, type } = reaction
  await transaction(async inside => {
    await runQuery(
      sql`DELETE FROM reactions WHERE url = ${url} AND (video_id <> ${videoId} OR account_id <> ${accountId}) AND account_id = ${accountId}`,
      inside
    )
    await runQuery(
      sql`
      INSERT INTO reactions (url, video_id, account_id, type) VALUES (${url}, ${videoId}, ${accountId}, ${type})
      ON CONFLICT (video_id, account_id) DO UPDATE SET url = excluded.url, type = excluded.type`,
      inside
    )
    await count(videoId, null, inside)
  })
}

/** Takes a remote account's reaction back; by its address, or of a type to a video. False: there was none. */
export async function removeRemoteReaction(
  accountUrl: string,
  url: string | null,
  object: { video: string | null; type: 'like' | 'dislike' }
): Promise<boolean> {
  return await transaction(async inside => {
    const gone = await runQuery<{ video_id: number }>(
      sql`
      DELETE FROM reactions USING accounts, actors, videos WHERE accounts.id = reactions.account_id AND actors.id = accounts.actor_id AND videos.id = reactions.video_id
        AND actors.url = ${accountUrl} AND actors.host IS NOT NULL AND (reactions.url = ${url} OR (videos.url = ${object.video} AND reactions.type = ${object.type})) RETURNING reactions.video_id`,
      inside
    )
    for (const { video_id } of gone) await count(video_id, null, inside)
    return gone.length > 0
  })
}

/** The Like or Dislike of a reaction. */
export function reactionActivity({ url, type }: Pick<Stored, 'url' | 'type'>, actor: string, video: string): Activity {
  return { type: REACTION_ACTIVITY_TYPES[type], id: url, actor, object: video }
}

async function ratingRow(videoId: number, accountId: number, inside?: Transaction): Promise<Stored | null> {
  const [row] = await runQuery<Stored>(
    sql`SELECT id, url, type FROM reactions WHERE video_id = ${videoId} AND account_id = ${accountId}`,
    inside
  )
  return row ?? null
}

async function placeOf(videoId: number, inside: Transaction): Promise<Place> {
  const [place] = await runQuery<Place>(
    sql`
    SELECT v.url, v.remote, coalesce(owner.shared_inbox_url, owner.inbox_url) AS inbox, owner.url AS owner FROM videos v JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id JOIN actors owner ON owner.id = a.actor_id
    WHERE v.id = ${videoId} FOR NO KEY UPDATE OF v`,
    inside
  )
  return place!
}

async function tell(activity: Activity, { inbox, owner }: Place, subject: string, inside: Transaction): Promise<void> {
  await enqueueActivity(
    { activity: { to: [owner], cc: [], ...activity }, kind: 'base', audience: { inboxes: [inbox] }, lane: DELIVERY_PRIORITY.BULK, subject },
    inside
  )
}

/** Counts our own videos' reactions; of others' only our change is added until their origin says more. */
async function count(videoId: number, change: [VideoRating, VideoRating] | null, inside: Transaction): Promise<void> {
  if (change) {
    const by = (type: VideoRating) => Number(change[1] === type) - Number(change[0] === type)
    await runQuery(
      sql`UPDATE videos SET likes = greatest(0, likes + ${by('like')}::int), dislikes = greatest(0, dislikes + ${by('dislike')}::int) WHERE id = ${videoId}`,
      inside
    )
    return
  }
  // Whoever waits for the row counts what the one before has written.
  await runQuery(sql`SELECT 1 FROM videos WHERE id = ${videoId} FOR NO KEY UPDATE`, inside)
  await runQuery(
    sql`
    UPDATE videos SET ${countersDueSql()}, likes = (SELECT count(*) FROM reactions WHERE video_id = ${videoId} AND type = 'like'), dislikes = (SELECT count(*) FROM reactions WHERE video_id = ${videoId} AND type = 'dislike') WHERE id = ${videoId}`,
    inside
  )
}
