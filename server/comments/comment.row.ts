import type { Transaction } from 'sequelize'
import { runQuery, sql } from '../core/sql.ts'

/** A row of `comments`, joined with its author, its parent and its video. */
export type CommentRow = {
  id: number
  url: string
  video_id: number
  account_id: number | null
  parent_id: number | null
  thread_id: number | null
  text: string
  note_summary: string | null
  remote: boolean
  held: boolean
  reply_approval: string | null
  created_at: Date
  updated_at: Date
  deleted_at: Date | null
  author: string | null
  author_inbox: string | null
  video_url: string
  video_uuid: string
  video_remote: boolean
  video_privacy: number
  video_state: number
  owner: string
  owner_user_id: number | null
  parent_url: string | null
  parent_author: string | null
}

/** Returns a comment that is known to exist. */
export async function getCommentRow(id: number, tx?: Transaction): Promise<CommentRow> {
  return (await findCommentRow(sql`comment.id = ${id}`, tx))!
}

/** Finds a comment by a condition on `comment`; returns null if there is none. */
export async function findCommentRow(condition: ReturnType<typeof sql>, tx?: Transaction): Promise<CommentRow | null> {
  const [row] = await runQuery<CommentRow>(
    sql`
    SELECT comment.*, actor.url AS author, coalesce(actor.shared_inbox_url, actor.inbox_url) AS author_inbox, video.url AS video_url,
      video.uuid AS video_uuid, video.remote AS video_remote, video.privacy AS video_privacy,
      video.state AS video_state, owner.url AS owner,
      owner_account.user_id AS owner_user_id,
      parent.url AS parent_url, parent_actor.url AS parent_author
    FROM comments comment JOIN videos video ON video.id = comment.video_id JOIN channels channel ON channel.id = video.channel_id
      JOIN accounts owner_account ON owner_account.id = channel.account_id JOIN actors owner ON owner.id = owner_account.actor_id
      LEFT JOIN accounts account ON account.id = comment.account_id LEFT JOIN actors actor ON actor.id = account.actor_id
      LEFT JOIN comments parent ON parent.id = comment.parent_id
      LEFT JOIN accounts parent_account ON parent_account.id = parent.account_id
      LEFT JOIN actors parent_actor ON parent_actor.id = parent_account.actor_id
    WHERE ${condition}`,
    tx
  )
  return row ?? null
}
