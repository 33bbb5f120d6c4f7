import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { VIDEO_PRIVACY } from './video.model.ts'

const reasons: Sql[] = []

/**
 * Says when a remote video that its origin took away is kept: `condition`, about `videos v`, is true where somebody here said something
 * about it.
 */
export function addRetentionCondition(condition: Sql): void {
  reasons.push(condition)
}

/**
 * Takes a remote video away. What people here said about it stays, out of sight, for `federation.videos.keep_gone`: a video that was
 * private for a while comes back with it. Of the video itself nothing but its name stays.
 */
export async function deleteOrRetainVideo({ id, uuid }: { id: number; uuid: string }, inside: Transaction): Promise<void> {
  const kept = await runQuery(
    sql`SELECT 1 FROM videos v WHERE v.id = ${id} AND (FALSE ${reasons.reduce((all, reason) => sql`${all} OR ${reason}`, sql``)})`,
    inside
  )
  if (kept.length === 0) await runQuery(sql`DELETE FROM videos WHERE id = ${id}`, inside)
  else {
    await runQuery(
      sql`
      UPDATE videos SET gone_at = coalesce(gone_at, now()), privacy = ${VIDEO_PRIVACY.PRIVATE}, description = NULL, support = NULL, tags = '{}', nsfw_summary = NULL, remote_updated_at = NULL, comments_read_at = NULL WHERE id = ${id}`,
      inside
    )
    for (const table of [
      sql`remote_files`,
      sql`remote_playlists`,
      sql`thumbnails`,
      sql`storyboards`,
      sql`video_captions`,
      sql`video_chapters`,
      sql`video_shares`
    ])
      await runQuery(sql`DELETE FROM ${table} WHERE video_id = ${id}`, inside)
  }
  afterCommit(inside, () => emitEvent('video.deleted', { uuid, folder: uuid }))
}

/** Removes what was kept of videos that did not come back. */
export async function deleteExpiredGoneVideos(): Promise<void> {
  await transaction(async inside => {
    await runQuery(
      sql`DELETE FROM videos WHERE remote AND gone_at < now() - make_interval(secs => ${config.federation.videos.keep_gone / 1000}::double precision)`,
      inside
    )
  })
}
