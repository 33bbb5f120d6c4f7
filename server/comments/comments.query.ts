import { z } from 'zod'
import { Comment, type CommentTree } from '../../shared/comments.ts'
import type { Viewer } from '../core/route.ts'
import { all, query, sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { isoSql } from '../actors/actor.shape.ts'

/** Who looks at the comments of a video: held ones are for their author, the video's owner and moderators. */
export type Watching = { viewer: Viewer | null; ownsVideo: boolean }
type Part = { start: number; count: number; sort?: string }

/** A comment as it is stored. */
const Stored = Comment.omit({ html: true }).extend({ remote: z.boolean() })

const FROM = sql`FROM comments comment LEFT JOIN accounts account ON account.id = comment.account_id LEFT JOIN actors actor ON actor.id = account.actor_id`

/** The threads of a video. */
export async function listThreads(
  videoId: number,
  watching: Watching,
  { start, count, sort = '-createdAt' }: Part
): Promise<{ total: number; totalNotDeletedComments: number; data: Comment[] }> {
  const mine = all([sql`comment.video_id = ${videoId}`, visible(watching)])
  const { total, data } = await list(all([mine, sql`comment.thread_id IS NULL`]), watching, { start, count, sort })
  const [row] = await query(
    z.object({ count: z.int() }),
    sql`SELECT count(*)::int AS count FROM comments comment WHERE ${mine} AND comment.deleted_at IS NULL`
  )
  return { total, totalNotDeletedComments: row!.count, data }
}

/** A thread as a tree; null if there is none to be seen. */
export async function findTree(videoId: number, threadId: number, watching: Watching): Promise<CommentTree | null> {
  const rows = await query(
    z.object({ json: Stored }),
    sql`
    SELECT ${commentSql(watching)} AS json ${FROM} WHERE comment.video_id = ${videoId} AND (comment.id = ${threadId} OR comment.thread_id = ${threadId}) AND ${visible(watching)} ORDER BY comment.id`
  )
  const comments = await shown(rows.map(({ json }) => json))
  const trees = new Map<number, CommentTree>(comments.map(comment => [comment.id, { comment, children: [] }]))
  for (const tree of trees.values()) trees.get(tree.comment.inReplyToCommentId ?? 0)?.children.push(tree)
  const root = trees.get(threadId)
  return root && root.comment.inReplyToCommentId === null ? root : null
}

/** One comment as it is told. */
export async function findComment(id: number, watching: Watching): Promise<Comment | null> {
  const rows = await query(z.object({ json: Stored }), sql`SELECT ${commentSql(watching)} AS json ${FROM} WHERE comment.id = ${id}`)
  return (await shown(rows.map(({ json }) => json)))[0] ?? null
}

/** Comments below the videos of an account. */
export async function listReceived(
  viewer: Viewer,
  { isHeldForReview, search, ...part }: Part & { isHeldForReview?: boolean; search?: string }
): Promise<{ total: number; data: Comment[] }> {
  const conditions = [
    sql`comment.deleted_at IS NULL`,
    sql`EXISTS (SELECT 1 FROM videos v JOIN channels c ON c.id = v.channel_id WHERE v.id = comment.video_id AND c.account_id = ${viewer.accountId})`
  ]
  if (isHeldForReview !== undefined) conditions.push(sql`comment.held = ${isHeldForReview}`)
  if (search) conditions.push(sql`comment.text ILIKE ${`%${search.replace(/[\\%_]/g, '\\$&')}%`}`)
  return await list(all(conditions), { viewer, ownsVideo: true }, part)
}

async function list(
  where: Sql,
  watching: Watching,
  { start, count, sort = '-createdAt' }: Part
): Promise<{ total: number; data: Comment[] }> {
  const column = sort.endsWith('totalReplies')
    ? sql`(SELECT count(*) FROM comments reply WHERE reply.thread_id = comment.id)`
    : sql`comment.created_at`
  const order = sort.startsWith('-') ? sql`${column} DESC, comment.id DESC` : sql`${column}, comment.id`
  const [row] = await query(
    z.object({ total: z.int(), data: z.array(Stored) }),
    sql`
    SELECT (SELECT count(*)::int ${FROM} WHERE ${where}) AS total,
      coalesce((SELECT json_agg(part.json) FROM (SELECT ${commentSql(watching)} AS json ${FROM} WHERE ${where} ORDER BY ${order} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return { total: row!.total, data: await shown(row!.data) }
}

/** Comments ready to be shown; what other servers wrote is sanitised again on its way out (federation.md 4.30). */
async function shown(comments: z.output<typeof Stored>[]): Promise<Comment[]> {
  const { markdownHtml, safeHtml } = await import('../core/markdown.ts')
  return comments.map(({ remote, ...comment }) => ({ ...comment, html: (remote ? safeHtml : markdownHtml)(comment.text).trim() }))
}

function visible({ viewer, ownsVideo }: Watching): Sql {
  if (ownsVideo || (viewer && viewer.role <= 1)) return sql`TRUE`
  return viewer ? sql`(NOT comment.held OR comment.account_id = ${viewer.accountId})` : sql`NOT comment.held`
}

function commentSql(watching: Watching): Sql {
  const replies = sql`FROM comments comment_reply WHERE comment_reply.thread_id = comment.id AND comment_reply.deleted_at IS NULL AND ${watching.ownsVideo ? sql`TRUE` : sql`NOT comment_reply.held`}`
  return sql`json_build_object('id', comment.id, 'url', comment.url, 'text', comment.text, 'remote', comment.remote, 'threadId', coalesce(comment.thread_id, comment.id), 'inReplyToCommentId', comment.parent_id, 'videoId', comment.video_id,
    'createdAt', ${isoSql(sql`comment.created_at`)}, 'updatedAt', ${isoSql(sql`comment.updated_at`)}, 'deletedAt', ${isoSql(sql`comment.deleted_at`)}, 'heldForReview', comment.held, 'isDeleted', comment.deleted_at IS NOT NULL,
    'totalReplies', (SELECT count(*)::int ${replies}),
    'totalRepliesFromVideoAuthor', (SELECT count(*)::int ${replies} AND comment_reply.account_id = (SELECT c.account_id FROM videos v JOIN channels c ON c.id = v.channel_id WHERE v.id = comment.video_id)),
    'account', CASE WHEN comment.deleted_at IS NULL AND account.id IS NOT NULL THEN ${accountSql(sql`account`, sql`actor`)} END)`
}
