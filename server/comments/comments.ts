import type { Transaction } from 'sequelize'
import { instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { addTombstone } from '../fediverse/tombstones.ts'
import { findCommentRow, getCommentRow, type CommentRow } from './comment.row.ts'
import { sendReplyApproval, sendCommentActivity, sendCommentDelete } from './comment.outbox.ts'

const POLICY = { OPEN: 1, CLOSED: 2, APPROVAL: 3 } as const

/** Writes a comment of a local account; where the owner wants to see comments first it is held. Throws 404, 409. */
export async function addComment(
  { videoId, parentId, text }: { videoId: number; parentId: number | null; text: string },
  viewer: Viewer
): Promise<number> {
  return await transaction(async inside => {
    const video = await placeOf(videoId, inside)
    const parent = parentId === null ? null : await findCommentRow(sql`comment.id = ${parentId} AND comment.video_id = ${videoId}`, inside)
    if (parentId !== null && (!parent || parent.deleted_at)) throw notFound('Video comment thread')
    if (video.policy === POLICY.CLOSED) throw new Problem(409, null, 'Video comments are disabled')
    const mayDecide = viewer.id === video.owner_user_id || viewer.role <= 1
    const held = video.policy === POLICY.APPROVAL && !mayDecide
    const [made] = await runQuery<{ id: number }>(
      sql`
      WITH number AS (SELECT nextval('comments_id_seq') AS id)
      INSERT INTO comments (id, url, video_id, account_id, parent_id, thread_id, text, held, reply_approval, created_at, updated_at)
      SELECT id, ${`${instanceOrigin()}/videos/watch/${video.uuid}/comments/`}::text || id, ${videoId}, ${viewer.accountId}, ${parentId}, ${parent ? (parent.thread_id ?? parent.id) : null}, ${text}, ${held},
        ${video.remote || held ? null : sql`${`${instanceOrigin()}/videos/watch/${video.uuid}/comments/`}::text || id || '/approve-reply'`}, now(), now() FROM number RETURNING id`,
      inside
    )
    // A held one is for the owner's eyes alone; of another server's video that server decides.
    if (!held || video.remote) await sendCommentActivity(await getCommentRow(made!.id, inside), 'Create', inside)
    await adjustCommentCount(videoId, held ? 0 : 1, inside)
    return made!.id
  })
}

/** Deletes a comment: its author may, the owner of the video, and moderators. What answers it stays. Throws 403, 404. */
export async function deleteComment(videoId: number, id: number, viewer: Viewer): Promise<void> {
  await transaction(async inside => {
    const row = await findCommentRow(sql`comment.id = ${id} AND comment.video_id = ${videoId} AND comment.deleted_at IS NULL`, inside)
    if (!row) throw notFound('Video comment')
    const mine = row.account_id === viewer.accountId
    if (!mine && viewer.id !== row.owner_user_id && viewer.role > 1)
      throw new Problem(403, null, 'Cannot remove video comment of another user')
    await sendCommentDelete(row, mine ? row.author! : row.video_remote ? null : row.owner, inside)
    await tombstoneComment(row, inside)
  })
}

/** Lets everybody see a comment that was held. Throws 400, 403, 404. */
export async function approveComment(videoId: number, id: number, viewer: Viewer): Promise<void> {
  await transaction(async inside => {
    const row = await findCommentRow(sql`comment.id = ${id} AND comment.video_id = ${videoId} AND comment.deleted_at IS NULL`, inside)
    if (!row) throw notFound('Video comment')
    if (row.video_remote || (viewer.id !== row.owner_user_id && viewer.role > 1))
      throw new Problem(403, null, 'Only the owner of the video approves its comments.')
    if (!row.held) throw new Problem(400, null, 'This comment is not held for review')
    const approval = `${instanceOrigin()}/videos/watch/${row.video_uuid}/comments/${row.id}/approve-reply`
    if (!(await releaseHeldComment(id, approval, inside))) return
    const approved = await getCommentRow(id, inside)
    if (row.remote) await sendReplyApproval(approved, inside)
    else await sendCommentActivity(approved, 'Create', inside)
    await adjustCommentCount(videoId, 1, inside)
  })
}

/** Lets everybody see a comment; false: it was not held. */
export async function releaseHeldComment(id: number, approval: string, inside: Transaction): Promise<boolean> {
  const [before] = await runQuery<{ held: boolean }>(
    sql`SELECT held FROM comments WHERE id = ${id} AND deleted_at IS NULL FOR UPDATE`,
    inside
  )
  await runQuery(sql`UPDATE comments SET held = false, reply_approval = ${approval} WHERE id = ${id}`, inside)
  return before?.held ?? false
}

/** Empties a deleted comment; answers keep their place. */
export async function tombstoneComment(
  { id, url, video_id: videoId }: Pick<CommentRow, 'id' | 'url' | 'video_id'>,
  inside: Transaction
): Promise<void> {
  const [before] = await runQuery<{ held: boolean }>(
    sql`SELECT held FROM comments WHERE id = ${id} AND deleted_at IS NULL FOR UPDATE`,
    inside
  )
  if (!before) return
  await runQuery(sql`UPDATE comments SET text = '', held = false, deleted_at = now(), updated_at = now() WHERE id = ${id}`, inside)
  await addTombstone(url, inside)
  await adjustCommentCount(videoId, before.held ? 0 : -1, inside)
}

/** Notes that so many more of a video's comments are seen by everybody. */
export async function adjustCommentCount(videoId: number, change: number, inside: Transaction): Promise<void> {
  if (change !== 0) await runQuery(sql`UPDATE videos SET comments = comments + ${change}::int WHERE id = ${videoId}`, inside)
}

async function placeOf(id: number, inside: Transaction) {
  const [video] = await runQuery<{ uuid: string; remote: boolean; policy: number; owner_user_id: number | null }>(
    sql`
    SELECT v.uuid, v.remote, v.comments_policy AS policy, a.user_id AS owner_user_id FROM videos v JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id WHERE v.id = ${id}`,
    inside
  )
  if (!video) throw notFound('Video')
  return video
}
