import type { Transaction } from 'sequelize'
import { notFound } from '../core/problem.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import { recordOutdated } from '../fediverse/undone-activities.ts'
import type { Activity } from '../fediverse/vocabulary.ts'
import { countersDueSql } from '../videos/video.outbox.ts'

/** The rating of a video by an account. */
export type VideoRating = 'like' | 'dislike' | 'none'
/** ActivityPub types of the reactions. */
export const REACTION_ACTIVITY_TYPES = { like: 'Like', dislike: 'Dislike' } as const

/** The rated video; `inbox` and `owner`: inbox and URL of its account. */
type RatedVideo = { url: string; remote: boolean; inbox: string; owner: string }
type ReactionRow = { id: number; url: string; type: 'like' | 'dislike' }

/** Sets the rating of a local account and sends the change to the origin of a remote video; an unchanged rating has no effect. Throws 404. */
export async function rateVideo(videoId: number, accountId: number, rating: VideoRating): Promise<void> {
  await transaction(async tx => {
    const video = await lockRatedVideo(videoId, tx)
    const oldReaction = await findReaction(videoId, accountId, tx)
    if ((oldReaction?.type ?? 'none') === rating) return
    const [account] = await runQuery<{ url: string }>(
      sql`SELECT actors.url FROM accounts JOIN actors ON actors.id = accounts.actor_id WHERE accounts.id = ${accountId}`,
      tx
    )
    if (oldReaction) {
      await runQuery(sql`DELETE FROM reactions WHERE id = ${oldReaction.id}`, tx)
      if (video.remote) {
        const undone = reactionActivity(oldReaction, account!.url, video.url)
        await sendReactionActivity(
          { type: 'Undo', id: `${oldReaction.url}/undo`, actor: account!.url, object: undone },
          video,
          oldReaction.url,
          tx
        )
      }
    }
    if (rating !== 'none') {
      const [row] = await runQuery<ReactionRow>(
        sql`
        WITH number AS (SELECT nextval('reactions_id_seq') AS id)
        INSERT INTO reactions (id, url, video_id, account_id, type)
          SELECT id, ${`${account!.url}/${rating}s/`}::text || id, ${videoId}, ${accountId}, ${rating} FROM number RETURNING id, url, type`,
        tx
      )
      if (video.remote) await sendReactionActivity(reactionActivity(row!, account!.url, video.url), video, row!.url, tx)
    }
    await updateCounters(videoId, video.remote ? [oldReaction?.type ?? 'none', rating] : null, tx)
  })
}

/** Returns the rating of a video by a local account. */
export async function findVideoRating(videoId: number, accountId: number): Promise<VideoRating> {
  return (await findReaction(videoId, accountId))?.type ?? 'none'
}

/**
 * Stores the reaction of a remote account to a local video; replaces an earlier one. Of a Like and an emoji (`isEmoji`) that says the same
 * the Like stays.
 */
export async function storeRemoteReaction(reaction: {
  url: string
  videoId: number
  account: { id: number; url: string }
  type: 'like' | 'dislike'
  isEmoji: boolean
}): Promise<void> {
  const { url, videoId, account, type, isEmoji } = reaction
  await transaction(async tx => {
    // Serializes the reactions to a video, as `updateCounters` does.
    await runQuery(sql`SELECT 1 FROM videos WHERE id = ${videoId} FOR NO KEY UPDATE`, tx)
    const present = await findReaction(videoId, account.id, tx)
    if (isEmoji && present?.type === type && present.url !== url) return await recordOutdated(url, account.url, tx)
    if (present && present.url !== url) await recordOutdated(present.url, account.url, tx)
    await runQuery(
      sql`DELETE FROM reactions WHERE url = ${url} AND (video_id <> ${videoId} OR account_id <> ${account.id})
        AND account_id = ${account.id}`,
      tx
    )
    await runQuery(
      sql`
      INSERT INTO reactions (url, video_id, account_id, type) VALUES (${url}, ${videoId}, ${account.id}, ${type})
      ON CONFLICT (video_id, account_id) DO UPDATE SET url = excluded.url, type = excluded.type`,
      tx
    )
    await updateCounters(videoId, null, tx)
  })
}

/**
 * Removes a reaction of a remote account, identified by its URL, or by the URL of the video and its type; returns whether there was one.
 */
export async function removeRemoteReaction(
  accountUrl: string,
  reaction: { url: string } | { video: string; type: 'like' | 'dislike' }
): Promise<boolean> {
  const condition =
    'url' in reaction ? sql`reactions.url = ${reaction.url}` : sql`videos.url = ${reaction.video} AND reactions.type = ${reaction.type}`
  return await transaction(async tx => {
    const removed = await runQuery<{ video_id: number; url: string }>(
      sql`
      DELETE FROM reactions USING accounts, actors, videos WHERE accounts.id = reactions.account_id AND actors.id = accounts.actor_id
        AND videos.id = reactions.video_id AND actors.url = ${accountUrl} AND actors.host IS NOT NULL AND ${condition}
      RETURNING reactions.video_id, reactions.url`,
      tx
    )
    for (const { video_id } of removed) await updateCounters(video_id, null, tx)
    for (const { url } of removed) await recordOutdated(url, accountUrl, tx)
    return removed.length > 0
  })
}

/** Returns the Like or Dislike activity of a reaction. */
export function reactionActivity({ url, type }: Pick<ReactionRow, 'url' | 'type'>, actor: string, video: string): Activity {
  return { type: REACTION_ACTIVITY_TYPES[type], id: url, actor, object: video }
}

async function findReaction(videoId: number, accountId: number, tx?: Transaction): Promise<ReactionRow | null> {
  const [row] = await runQuery<ReactionRow>(
    sql`SELECT id, url, type FROM reactions WHERE video_id = ${videoId} AND account_id = ${accountId}`,
    tx
  )
  return row ?? null
}

/** Returns a video and locks its row until the transaction ends. */
async function lockRatedVideo(videoId: number, tx: Transaction): Promise<RatedVideo> {
  const [video] = await runQuery<RatedVideo>(
    sql`
    SELECT v.url, v.remote, coalesce(owner.shared_inbox_url, owner.inbox_url) AS inbox, owner.url AS owner FROM videos v
      JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id JOIN actors owner ON owner.id = a.actor_id
    WHERE v.id = ${videoId} FOR NO KEY UPDATE OF v`,
    tx
  )
  if (!video) throw notFound('Video')
  return video
}

async function sendReactionActivity(activity: Activity, { inbox, owner }: RatedVideo, subject: string, tx: Transaction): Promise<void> {
  await enqueueActivity(
    { activity: { to: [owner], cc: [], ...activity }, kind: 'base', audience: { inboxes: [inbox] }, lane: DELIVERY_PRIORITY.BULK, subject },
    tx
  )
}

/** Recounts the reactions to a local video; for a remote one, `change` (old and new rating) is applied to the counters of its origin. */
async function updateCounters(videoId: number, change: [VideoRating, VideoRating] | null, tx: Transaction): Promise<void> {
  if (change) {
    const difference = (type: VideoRating) => Number(change[1] === type) - Number(change[0] === type)
    await runQuery(
      sql`UPDATE videos SET likes = greatest(0, likes + ${difference('like')}::int), dislikes = greatest(0,
        dislikes + ${difference('dislike')}::int) WHERE id = ${videoId}`,
      tx
    )
    return
  }
  // The lock serializes the counts, so that each includes the reactions of the transactions before it.
  await runQuery(sql`SELECT 1 FROM videos WHERE id = ${videoId} FOR NO KEY UPDATE`, tx)
  await runQuery(
    sql`
    UPDATE videos SET ${countersDueSql()}, likes = (SELECT count(*) FROM reactions WHERE video_id = ${videoId}
      AND type = 'like'), dislikes = (SELECT count(*) FROM reactions WHERE video_id = ${videoId} AND type = 'dislike')
      WHERE id = ${videoId}`,
    tx
  )
}
