import type { Transaction } from 'sequelize'
import { instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { notBlockedSql } from '../actors/blocks.ts'
import { addTombstone } from '../fediverse/tombstones.ts'
import { removeAttachments } from './comment-attachments.ts'
import { findCommentRow, getCommentRow, type CommentRow } from './comment.row.ts'
import { sendReplyApproval, sendCommentActivity, sendCommentDelete } from './comment.outbox.ts'

const COMMENTS_POLICY = { OPEN: 1, CLOSED: 2, APPROVAL: 3 } as const

/** Stores a comment of a local account; holds it where the owner approves comments first. Throws 404, 409. */
export async function addComment(
  { videoId, parentId, text }: { videoId: number; parentId: number | null; text: string },
  viewer: Viewer
): Promise<number> {
  return await transaction(async tx => {
    const video = await getVideoSettings(videoId, tx)
    const parent = parentId === null ? null : await findCommentRow(sql`comment.id = ${parentId} AND comment.video_id = ${videoId}`, tx)
    const mayDecide = viewer.id === video.owner_user_id || viewer.role <= 1
    // Nobody else is to learn of a comment that is held.
    const isHidden = parent?.held && !mayDecide && parent.account_id !== viewer.accountId
    if (parentId !== null && (!parent || parent.deleted_at || isHidden)) throw notFound('Video comment thread')
    if (video.policy === COMMENTS_POLICY.CLOSED) throw new Problem(409, null, 'Video comments are disabled')
    const held = video.policy === COMMENTS_POLICY.APPROVAL && !mayDecide
    const [created] = await runQuery<{ id: number }>(
      sql`
      WITH number AS (SELECT nextval('comments_id_seq') AS id)
      INSERT INTO comments (id, url, video_id, account_id, parent_id, thread_id, text, held, reply_approval, created_at, updated_at)
      SELECT id, ${`${instanceOrigin()}/videos/watch/${video.uuid}/comments/`}::text || id, ${videoId}, ${viewer.accountId}, ${parentId},
        ${parent ? (parent.thread_id ?? parent.id) : null}, ${text}, ${held},
        ${video.remote || held ? null : sql`${`${instanceOrigin()}/videos/watch/${video.uuid}/comments/`}::text || id || '/approve-reply'`},
        now(), now() FROM number RETURNING id`,
      tx
    )
    // A held comment is visible only here; for a remote video its origin decides.
    if (!held || video.remote) await sendCommentActivity(await getCommentRow(created!.id, tx), 'Create', tx)
    await adjustCommentCount({ videoId, accountId: viewer.accountId }, held ? 0 : 1, tx)
    return created!.id
  })
}

/** Deletes a comment; allowed for its author, the owner of the video and moderators. Replies stay. Throws 403, 404, 409. */
export async function deleteComment(videoId: number, id: number, viewer: Viewer): Promise<void> {
  await transaction(async tx => {
    // Of several requests at once one finds the comment as it was.
    await runQuery(sql`SELECT 1 FROM comments WHERE id = ${id} FOR UPDATE`, tx)
    const row = await findCommentRow(sql`comment.id = ${id} AND comment.video_id = ${videoId}`, tx)
    if (!row) throw notFound('Video comment')
    if (row.deleted_at) throw new Problem(409, null, 'This comment is already deleted')
    const isAuthor = row.account_id === viewer.accountId
    if (!isAuthor && viewer.id !== row.owner_user_id && viewer.role > 1)
      throw new Problem(403, null, 'Cannot remove video comment of another user')
    await sendCommentDelete(row, isAuthor || row.video_remote ? row.author : row.owner, tx)
    await tombstoneComment(row, tx)
  })
}

/** Makes a held comment visible to everyone. Throws 400, 403, 404, 409. */
export async function approveComment(videoId: number, id: number, viewer: Viewer): Promise<void> {
  await transaction(async tx => {
    const row = await findCommentRow(sql`comment.id = ${id} AND comment.video_id = ${videoId}`, tx)
    if (!row) throw notFound('Video comment')
    if (row.deleted_at) throw new Problem(409, null, 'This comment is already deleted')
    if (row.video_remote || (viewer.id !== row.owner_user_id && viewer.role > 1))
      throw new Problem(403, null, 'Only the owner of the video approves its comments.')
    if (!row.held) throw new Problem(400, null, 'This comment is not held for review')
    const approval = `${instanceOrigin()}/videos/watch/${row.video_uuid}/comments/${row.id}/approve-reply`
    if (!(await releaseHeldComment(id, approval, tx))) return
    const approved = await getCommentRow(id, tx)
    if (row.remote) await sendReplyApproval(approved, tx)
    else await sendCommentActivity(approved, 'Create', tx)
    await adjustCommentCount({ videoId, accountId: row.account_id }, 1, tx)
  })
}

/** Clears the held flag and stores the approval; returns whether the comment was held. */
export async function releaseHeldComment(id: number, approval: string, tx: Transaction): Promise<boolean> {
  const [before] = await runQuery<{ held: boolean }>(sql`SELECT held FROM comments WHERE id = ${id} AND deleted_at IS NULL FOR UPDATE`, tx)
  await runQuery(sql`UPDATE comments SET held = false, reply_approval = ${approval} WHERE id = ${id}`, tx)
  return before?.held ?? false
}

/** Replaces a comment by a tombstone: its text is removed, its replies keep their place. */
export async function tombstoneComment(
  { id, url, video_id: videoId, account_id: accountId }: Pick<CommentRow, 'id' | 'url' | 'video_id' | 'account_id'>,
  tx: Transaction
): Promise<void> {
  const [before] = await runQuery<{ held: boolean }>(sql`SELECT held FROM comments WHERE id = ${id} AND deleted_at IS NULL FOR UPDATE`, tx)
  if (!before) return
  await runQuery(
    sql`UPDATE comments SET text = '', source = NULL, note_summary = NULL, held = false, deleted_at = now(), updated_at = now() WHERE id = ${id}`,
    tx
  )
  await removeAttachments(id, tx)
  await addTombstone(url, tx)
  await adjustCommentCount({ videoId, accountId }, before.held ? 0 : -1, tx)
}

/** Adds `delta` to the number of visible comments of a video, unless the instance has blocked their author. */
export async function adjustCommentCount(
  { videoId, accountId }: { videoId: number; accountId: number | null },
  delta: number,
  tx: Transaction
): Promise<void> {
  if (delta === 0) return
  await runQuery(
    sql`UPDATE videos SET comments = comments + ${delta}::int WHERE id = ${videoId} AND (${accountId}::int IS NULL
      OR EXISTS (SELECT 1 FROM accounts author JOIN actors author_actor ON author_actor.id = author.actor_id
        WHERE author.id = ${accountId} AND ${notBlockedSql({ actorId: sql`author_actor.id`, host: sql`author_actor.host` }, null)}))`,
    tx
  )
}

async function getVideoSettings(id: number, tx: Transaction) {
  const [video] = await runQuery<{ uuid: string; remote: boolean; policy: number; owner_user_id: number | null }>(
    sql`
    SELECT v.uuid, v.remote, v.comments_policy AS policy, a.user_id AS owner_user_id FROM videos v JOIN channels c ON c.id = v.channel_id
      JOIN accounts a ON a.id = c.account_id WHERE v.id = ${id}`,
    tx
  )
  if (!video) throw notFound('Video')
  return video
}
