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
  await transaction(async tx => {
    const [removal] = await runQuery<CommentRemoval>(
      sql`INSERT INTO comment_removals (account_id, video_account_id, last_comment_id)
        SELECT ${accountId}, ${videoAccountId}, coalesce(max(id), 0) FROM comments WHERE account_id = ${accountId} RETURNING *`,
      tx
    )
    await removeBatch(removal!, tx)
  })
}

/** Deletes the comments of all removals that are not finished. Returns when nothing is left or `signal` aborts. */
export async function finishCommentRemovals(signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await continueOldestRemoval())) continue
}

/** Deletes one batch of the oldest removal that no other worker holds. Returns false if there was none. */
async function continueOldestRemoval(): Promise<boolean> {
  return await transaction(async tx => {
    const [removal] = await runQuery<CommentRemoval>(sql`SELECT * FROM comment_removals ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`, tx)
    if (removal) await removeBatch(removal, tx)
    return removal !== undefined
  })
}

async function removeBatch(removal: CommentRemoval, tx: Transaction): Promise<void> {
  const ids = await lockComments(removal, tx)
  for (const id of ids) {
    const row = await getCommentRow(id, tx)
    await sendCommentDelete(row, row.video_remote ? row.author : row.owner, tx)
    await tombstoneComment(row, tx)
  }
  if (ids.length < BATCH) await runQuery(sql`DELETE FROM comment_removals WHERE id = ${removal.id}`, tx)
}

/** Locks a batch of the comments and then their videos; returns the ids of the comments. */
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
  const ids = rows.map(({ id }) => id)
  // Their counts change one by one; two removals that changed them in different orders would wait for each other.
  await runQuery(
    sql`SELECT id FROM videos WHERE id IN (SELECT video_id FROM comments WHERE id = ANY(${ids}::int[])) ORDER BY id FOR NO KEY UPDATE`,
    tx
  )
  return ids
}
