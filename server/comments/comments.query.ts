import { z } from 'zod'
import { Comment, type CommentTree } from '../../shared/comments.ts'
import type { Viewer } from '../core/route.ts'
import { sqlAnd, queryAs, sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { isoTimestampSql } from '../actors/actor.shape.ts'

/** Who looks at the comments of a video: held ones are for their author, the video's owner and moderators. */
export type CommentViewer = { viewer: Viewer | null; ownsVideo: boolean }
type Part = { start: number; count: number; sort?: string }

/** A comment as it is stored. */
const Stored = Comment.omit({ html: true }).extend({ remote: z.boolean() })

const FROM = sql`FROM comments comment LEFT JOIN accounts account ON account.id = comment.account_id LEFT JOIN actors actor ON actor.id = account.actor_id`

/** The threads of a video. */
export async function listCommentThreads(
  videoId: number,
  watching: CommentViewer,
  { start, count, sort = '-createdAt' }: Part
): Promise<{ total: number; totalNotDeletedComments: number; data: Comment[] }> {
  const mine = sqlAnd([sql`comment.video_id = ${videoId}`, visible(watching)])
  const { total, data } = await list(sqlAnd([mine, sql`comment.thread_id IS NULL`]), watching, { start, count, sort })
  const [row] = await queryAs(
    z.object({ count: z.int() }),
    sql`SELECT count(*)::int AS count FROM comments comment WHERE ${mine} AND comment.deleted_at IS NULL`
  )
  return { total, totalNotDeletedComments: row!.count, data }
}

/** A thread as a tree; null if there is none to be seen. */
export async function findCommentTree(videoId: number, threadId: number, watching: CommentViewer): Promise<CommentTree | null> {
  const rows = await queryAs(
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
export async function findComment(id: number, watching: CommentViewer): Promise<Comment | null> {
  const rows = await queryAs(z.object({ json: Stored }), sql`SELECT ${commentSql(watching)} AS json ${FROM} WHERE comment.id = ${id}`)
  return (await shown(rows.map(({ json }) => json)))[0] ?? null
}

/** Comments below the videos of an account. */
export async function listCommentsOnOwnVideos(
  viewer: Viewer,
  { isHeldForReview, search, ...part }: Part & { isHeldForReview?: boolean; search?: string }
): Promise<{ total: number; data: Comment[] }> {
  const conditions = [
    sql`comment.deleted_at IS NULL`,
    sql`EXISTS (SELECT 1 FROM videos v JOIN channels c ON c.id = v.channel_id WHERE v.id = comment.video_id AND c.account_id = ${viewer.accountId})`
  ]
  if (isHeldForReview !== undefined) conditions.push(sql`comment.held = ${isHeldForReview}`)
  if (search) conditions.push(sql`comment.text ILIKE ${`%${search.replace(/[\\%_]/g, '\\$&')}%`}`)
  return await list(sqlAnd(conditions), { viewer, ownsVideo: true }, part)
}

async function list(
  where: Sql,
  watching: CommentViewer,
  { start, count, sort = '-createdAt' }: Part
): Promise<{ total: number; data: Comment[] }> {
  const column = sort.endsWith('totalReplies')
    ? sql`(SELECT count(*) FROM comments reply WHERE reply.thread_id = comment.id)`
    : sql`comment.created_at`
  const order = sort.startsWith('-') ? sql`${column} DESC, comment.id DESC` : sql`${column}, comment.id`
  const [row] = await queryAs(
    z.object({ total: z.int(), data: z.array(Stored) }),
    sql`
    SELECT (SELECT count(*)::int ${FROM} WHERE ${where}) AS total,
      coalesce((SELECT json_agg(part.json) FROM (SELECT ${commentSql(watching)} AS json ${FROM} WHERE ${where} ORDER BY ${order} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return { total: row!.total, data: await shown(row!.data) }
}

/** Comments ready to be shown; what other servers wrote is sanitised again on its way out (docs/federation.md#html-and-text). */
async function shown(comments: z.output<typeof Stored>[]): Promise<Comment[]> {
  const { markdownToHtml, sanitizeRemoteHtml } = await import('../core/markdown.ts')
  return comments.map(({ remote, ...comment }) => ({
    ...comment,
    html: (remote ? sanitizeRemoteHtml : markdownToHtml)(comment.text).trim()
  }))
}

function visible({ viewer, ownsVideo }: CommentViewer): Sql {
  if (ownsVideo || (viewer && viewer.role <= 1)) return sql`TRUE`
  return viewer ? sql`(NOT comment.held OR comment.account_id = ${viewer.accountId})` : sql`NOT comment.held`
}

function commentSql(watching: CommentViewer): Sql {
  const replies = sql`FROM comments comment_reply WHERE comment_reply.thread_id = comment.id AND comment_reply.deleted_at IS NULL AND ${watching.ownsVideo ? sql`TRUE` : sql`NOT comment_reply.held`}`
  return sql`json_build_object('id', comment.id, 'url', comment.url, 'text', comment.text, 'remote', comment.remote, 'threadId', coalesce(comment.thread_id, comment.id), 'inReplyToCommentId', comment.parent_id, 'videoId', comment.video_id,
    'createdAt', ${isoTimestampSql(sql`comment.created_at`)}, 'updatedAt', ${isoTimestampSql(sql`comment.updated_at`)}, 'deletedAt', ${isoTimestampSql(sql`comment.deleted_at`)}, 'heldForReview', comment.held, 'isDeleted', comment.deleted_at IS NOT NULL,
    'totalReplies', (SELECT count(*)::int ${replies}),
    'totalRepliesFromVideoAuthor', (SELECT count(*)::int ${replies} AND comment_reply.account_id = (SELECT c.account_id FROM videos v JOIN channels c ON c.id = v.channel_id WHERE v.id = comment.video_id)),
    'account', CASE WHEN comment.deleted_at IS NULL AND account.id IS NOT NULL THEN ${accountSql(sql`account`, sql`actor`)} END)`
}
