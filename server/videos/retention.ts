import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { runQuery, sql, type Sql, sqlInterval } from '../core/sql.ts'
import { VIDEO_PRIVACY } from './video.model.ts'

const retentionConditions: Sql[] = []

/**
 * Adds a reason to retain a remote video that its origin deleted: `condition`, on `videos v`, is true where the video has content of local
 * users, such as comments or reactions.
 */
export function addRetentionCondition(condition: Sql): void {
  retentionConditions.push(condition)
}

/**
 * Deletes a remote video. If local users have content on it, the row and that content are retained, hidden, for
 * `federation.videos.keep_gone`, so that a video that was only temporarily private gets them back; of its metadata only the name is kept.
 * Emits `video.deleted` after commit.
 */
export async function deleteOrRetainVideo({ id, uuid }: { id: number; uuid: string }, tx: Transaction): Promise<void> {
  const retained = await runQuery(
    sql`SELECT 1 FROM videos v WHERE v.id = ${id}
      AND (FALSE ${retentionConditions.reduce((joined, condition) => sql`${joined} OR ${condition}`, sql``)})`,
    tx
  )
  if (retained.length === 0) await runQuery(sql`DELETE FROM videos WHERE id = ${id}`, tx)
  else {
    await runQuery(
      sql`
      UPDATE videos SET gone_at = coalesce(gone_at, now()), privacy = ${VIDEO_PRIVACY.PRIVATE}, description = NULL, support = NULL,
        tags = '{}', nsfw_summary = NULL, remote_updated_at = NULL, comments_read_at = NULL WHERE id = ${id}`,
      tx
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
      await runQuery(sql`DELETE FROM ${table} WHERE video_id = ${id}`, tx)
  }
  afterCommit(tx, () => emitEvent('video.deleted', { uuid, folder: uuid }))
}

/** Deletes the retained rows of gone videos that did not come back within `federation.videos.keep_gone`. */
export async function deleteExpiredGoneVideos(): Promise<void> {
  await transaction(async tx => {
    await runQuery(
      sql`DELETE FROM videos WHERE remote
        AND gone_at < now() - ${sqlInterval(config.federation.videos.keep_gone)}`,
      tx
    )
  })
}
