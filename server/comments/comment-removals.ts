import type { Transaction } from 'sequelize'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { sendCommentDelete } from './comment.outbox.ts'
import { getCommentRow } from './comment.row.ts'
import { tombstoneComment } from './comments.ts'

type CommentRemoval = { id: number; account_id: number; video_account_id: number | null; last_comment_id: number }

/** Comments that one transaction deletes. */
const BATCH = 50

/**
 * Deletes the comments of an account that exist now: all, or those below the videos of the account `videoAccountId`. The first ones are
 * gone when it returns, the others are deleted by the job `remove-comments`.
 */
export async function removeCommentsOf(accountId: number, { videoAccountId }: { videoAccountId: number | null }): Promise<void> {
  const [removal] = await runQuery<{ id: number }>(
    sql`INSERT INTO comment_removals (account_id, video_account_id, last_comment_id)
      SELECT ${accountId}, ${videoAccountId}, coalesce(max(id), 0) FROM comments WHERE account_id = ${accountId} RETURNING id`
  )
  await continueRemoval(removal!.id)
}

/** Deletes the comments of all removals that are not finished. Returns when nothing is left or `signal` aborts. */
export async function finishCommentRemovals(signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await continueRemoval(null))) continue
}

/** Deletes one batch of a removal (null: of the oldest that no other worker holds). Returns false if there was none. */
async function continueRemoval(removalId: number | null): Promise<boolean> {
  return await transaction(async tx => {
    const [removal] = await runQuery<CommentRemoval>(
      sql`SELECT * FROM comment_removals WHERE ${removalId === null ? sql`TRUE` : sql`id = ${removalId}`}
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
      tx
    )
    if (!removal) return false
    const ids = await lockComments(removal, tx)
    for (const id of ids) {
      const row = await getCommentRow(id, tx)
      await sendCommentDelete(row, row.video_remote ? null : row.owner, tx)
      await tombstoneComment(row, tx)
    }
    if (ids.length < BATCH) await runQuery(sql`DELETE FROM comment_removals WHERE id = ${removal.id}`, tx)
    return true
  })
}

async function lockComments({ account_id, video_account_id, last_comment_id }: CommentRemoval, tx: Transaction): Promise<number[]> {
  const isInScope =
    video_account_id === null
      ? sql`TRUE`
      : sql`EXISTS (SELECT 1 FROM videos v JOIN channels c ON c.id = v.channel_id
          WHERE v.id = comment.video_id AND c.account_id = ${video_account_id})`
  const rows = await runQuery<{ id: number }>(
    sql`SELECT id FROM comments comment WHERE account_id = ${account_id} AND deleted_at IS NULL AND id <= ${last_comment_id}
      AND ${isInScope} ORDER BY id LIMIT ${BATCH} FOR UPDATE`,
    tx
  )
  return rows.map(({ id }) => id)
}
