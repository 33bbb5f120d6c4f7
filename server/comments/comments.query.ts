import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { Comment, ModeratedComment, type CommentTree } from '../../shared/comments.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { sqlAnd, queryAs, runQuery, sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { isoTimestampSql } from '../actors/actor.shape.ts'
import { notBlockedSql } from '../actors/blocks.ts'
import { ATTACHMENTS_SQL } from './comment-attachments.ts'

/**
 * The reader of a video's comments: held comments are visible to their author, the video's owner and moderators, those
 * of accounts that the instance has blocked to nobody, and those of accounts that the reader has blocked not to the reader.
 */
export type CommentViewer = { viewer: Viewer | null; ownsVideo: boolean }
type CommentPage = { start: number; count: number; sort?: string }
/** Filters of lists of comments; the texts are looked for without regard to case. */
export type CommentFilters = {
  isHeldForReview?: boolean
  search?: string
  searchAccount?: string
  searchVideo?: string
  videoId?: number
  videoChannelId?: number
  autoTagOneOf?: string[] | null
}

/** A comment as the database stores it, before its text is rendered. */
const StoredComment = Comment.omit({ html: true }).extend({ remote: z.boolean(), stored: z.string() })
const StoredModeratedComment = ModeratedComment.omit({ html: true }).extend({ remote: z.boolean(), stored: z.string() })

/** The SQL aliases of a comment and of its author's actor. */
type CommentAliases = { comment: Sql; actor: Sql }
const COMMENT: CommentAliases = { comment: sql`comment`, actor: sql`actor` }
const ANYONE: CommentViewer = { viewer: null, ownsVideo: false }

const FROM = sql`FROM comments comment LEFT JOIN accounts account ON account.id = comment.account_id
  LEFT JOIN actors actor ON actor.id = account.actor_id`
const fromComments = ({ comment, actor }: CommentAliases) => sql`FROM comments ${comment}
  LEFT JOIN actors ${actor} ON ${actor}.id = (SELECT actor_id FROM accounts WHERE accounts.id = ${comment}.account_id)`

/** Lists the threads of a video. */
export async function listCommentThreads(
  videoId: number,
  commentViewer: CommentViewer,
  { start, count, sort = '-createdAt' }: CommentPage
): Promise<{ total: number; totalNotDeletedComments: number; data: Comment[] }> {
  const onVisible = sqlAnd([sql`comment.video_id = ${videoId}`, isVisibleInThreadSql(commentViewer)])
  const { total, data } = await queryComments(sqlAnd([onVisible, sql`comment.thread_id IS NULL`]), commentViewer, { start, count, sort })
  const [row] = await queryAs(
    z.object({ count: z.int() }),
    sql`SELECT count(*)::int AS count ${FROM} WHERE ${onVisible} AND comment.deleted_at IS NULL`
  )
  return { total, totalNotDeletedComments: row!.count, data }
}

/** Returns a thread as a tree; null if there is none that the viewer may see. */
export async function findCommentTree(videoId: number, threadId: number, commentViewer: CommentViewer): Promise<CommentTree | null> {
  const rows = await queryAs(
    z.object({ json: StoredComment }),
    sql`
    SELECT ${commentSql(commentViewer)} AS json ${FROM} WHERE comment.video_id = ${videoId} AND (comment.id = ${threadId}
      OR comment.thread_id = ${threadId}) AND ${isVisibleSql(COMMENT, commentViewer)} ORDER BY comment.id`
  )
  const comments = await renderComments(rows.map(({ json }) => json))
  const trees = new Map<number, CommentTree>(comments.map(comment => [comment.id, { comment, children: [] }]))
  const root = trees.get(threadId)
  if (!root || root.comment.inReplyToCommentId !== null) return null
  // A reply to a comment that the viewer may not see stands at the beginning of the thread.
  for (const tree of trees.values()) {
    if (tree !== root) (trees.get(tree.comment.inReplyToCommentId!) ?? root).children.push(tree)
  }
  return root
}

/** Returns one comment in the shape of the API; null if there is none. */
export async function findComment(id: number, commentViewer: CommentViewer): Promise<Comment | null> {
  const rows = await queryAs(
    z.object({ json: StoredComment }),
    sql`SELECT ${commentSql(commentViewer)} AS json ${FROM} WHERE comment.id = ${id}`
  )
  return (await renderComments(rows.map(({ json }) => json)))[0] ?? null
}

/**
 * Lists the comments below the videos of the viewer's account. Throws 404 for an unknown video or channel to filter by, 403 for one of
 * another account.
 */
export async function listCommentsOnOwnVideos(
  viewer: Viewer,
  filters: CommentPage & CommentFilters
): Promise<{ total: number; data: ModeratedComment[] }> {
  await assertOwnVideoOrChannel(viewer, filters)
  const conditions = [
    notBlockedSql({ actorId: sql`actor.id`, host: sql`actor.host` }, viewer.id),
    sql`channel.account_id = ${viewer.accountId}`
  ]
  return await queryModeratedComments([...conditions, ...filterConditions(filters)], { viewer, ownsVideo: true }, filters)
}

async function assertOwnVideoOrChannel(
  viewer: Viewer,
  { videoId, videoChannelId }: Pick<CommentFilters, 'videoId' | 'videoChannelId'>
): Promise<void> {
  const assertOwn = (owners: { id: number }[], what: string) => {
    if (!owners[0]) throw notFound(what)
    if (owners[0].id !== viewer.accountId) throw new Problem(403, null, `${what} belongs to another user`)
  }
  if (videoId !== undefined)
    assertOwn(
      await runQuery<{ id: number }>(
        sql`SELECT c.account_id AS id FROM videos v JOIN channels c ON c.id = v.channel_id WHERE v.id = ${videoId} AND v.gone_at IS NULL`
      ),
      'Video'
    )
  if (videoChannelId !== undefined)
    assertOwn(await runQuery<{ id: number }>(sql`SELECT account_id AS id FROM channels WHERE id = ${videoChannelId}`), 'Video channel')
}

/** Lists all comments, of this and other servers, for moderators; `isLocal`: of an account of this instance. */
export async function listAllComments(
  viewer: Viewer,
  filters: CommentPage & CommentFilters & { isLocal?: boolean; onLocalVideo?: boolean }
): Promise<{ total: number; data: ModeratedComment[] }> {
  const { isLocal, onLocalVideo } = filters
  const conditions = filterConditions(filters)
  if (isLocal !== undefined) conditions.push(sql`(actor.host IS NULL) = ${isLocal}`)
  if (onLocalVideo !== undefined) conditions.push(sql`NOT video.remote = ${onLocalVideo}`)
  return await queryModeratedComments(conditions, { viewer, ownsVideo: false }, filters)
}

function filterConditions(filters: CommentFilters): Sql[] {
  const { isHeldForReview, search, searchAccount, searchVideo, videoId, videoChannelId, autoTagOneOf } = filters
  const account = (text: string) => sql`(${containsSql(sql`account.name`, text)} OR ${containsSql(ACTOR_HANDLE_SQL, text)})`
  const video = (text: string) => containsSql(sql`video.name`, text)
  const conditions = [sql`comment.deleted_at IS NULL`, sql`account.id IS NOT NULL`]
  if (isHeldForReview !== undefined) conditions.push(sql`comment.held = ${isHeldForReview}`)
  if (search) conditions.push(sql`(${containsSql(sql`comment.text`, search)} OR ${account(search)} OR ${video(search)})`)
  if (searchAccount) conditions.push(account(searchAccount))
  if (searchVideo) conditions.push(video(searchVideo))
  if (videoId !== undefined) conditions.push(sql`video.id = ${videoId}`)
  if (videoChannelId !== undefined) conditions.push(sql`video.channel_id = ${videoChannelId}`)
  // No comment has an automatic tag.
  if (autoTagOneOf && autoTagOneOf.length > 0) conditions.push(sql`FALSE`)
  return conditions
}

const ACTOR_HANDLE_SQL = sql`actor.preferred_username || coalesce('@' || actor.host, '')`
const containsSql = (column: Sql, text: string) => sql`${column} ILIKE ${`%${text.replace(/[\\%_]/g, '\\$&')}%`}`

async function queryModeratedComments(
  conditions: Sql[],
  commentViewer: CommentViewer,
  { start, count, sort = '-createdAt' }: CommentPage
): Promise<{ total: number; data: ModeratedComment[] }> {
  const from = sql`${FROM} JOIN videos video ON video.id = comment.video_id JOIN channels channel ON channel.id = video.channel_id
    WHERE ${sqlAnd(conditions)}`
  const order = sort.startsWith('-') ? sql`comment.created_at DESC, comment.id DESC` : sql`comment.created_at, comment.id`
  const rows = await queryAs(
    z.object({ json: StoredModeratedComment }),
    sql`SELECT ${commentSql(commentViewer)}::jsonb || jsonb_build_object('automaticTags', '[]'::jsonb,
        'video', json_build_object('id', video.id, 'uuid', video.uuid, 'name', video.name)) AS json
      ${from} ORDER BY ${order} LIMIT ${count} OFFSET ${start}`
  )
  const [row] = await queryAs(z.object({ total: z.int() }), sql`SELECT count(*)::int AS total ${from}`)
  return { total: row!.total, data: await renderComments(rows.map(({ json }) => json)) }
}

async function queryComments(
  where: Sql,
  commentViewer: CommentViewer,
  { start, count, sort = '-createdAt' }: CommentPage
): Promise<{ total: number; data: Comment[] }> {
  const column = sort.endsWith('totalReplies') ? sql`(SELECT count(*) ${visibleRepliesSql(commentViewer)})` : sql`comment.created_at`
  const order = sort.startsWith('-') ? sql`${column} DESC, comment.id DESC` : sql`${column}, comment.id`
  const [row] = await queryAs(
    z.object({ total: z.int(), data: z.array(StoredComment) }),
    sql`
    SELECT (SELECT count(*)::int ${FROM} WHERE ${where}) AS total,
      coalesce((SELECT json_agg(part.json) FROM (SELECT ${commentSql(commentViewer)} AS json ${FROM} WHERE ${where}
        ORDER BY ${order} LIMIT ${count} OFFSET ${start}) part), '[]'::json) AS data`
  )
  return { total: row!.total, data: await renderComments(row!.data) }
}

/** Renders comments as HTML; the text of remote comments is sanitised again on output (docs/federation.md#html-and-text). */
async function renderComments<T extends { stored: string; remote: boolean }>(
  comments: T[]
): Promise<(Omit<T, 'remote' | 'stored'> & { html: string })[]> {
  const { markdownToHtml, sanitizeRemoteHtml } = await import('../core/markdown.ts')
  return comments.map(({ remote, stored, ...comment }) => ({
    ...comment,
    html: (remote ? sanitizeRemoteHtml : markdownToHtml)(stored).trim()
  }))
}

/** Lists the URLs of the comments that anyone may see and that match a condition on `comment`, newest first. */
export async function listPublicCommentUrls(
  condition: Sql,
  { start, count }: { start: number; count: number }
): Promise<{ total: number; items: string[] }> {
  const from = sql`${FROM} WHERE ${condition} AND comment.deleted_at IS NULL AND ${isVisibleInThreadSql(ANYONE)}`
  const [row] = await queryAs(z.object({ total: z.int() }), sql`SELECT count(*)::int AS total ${from}`)
  const rows = await queryAs(
    z.object({ url: z.string() }),
    sql`SELECT comment.url ${from} ORDER BY comment.id DESC LIMIT ${count} OFFSET ${start}`
  )
  return { total: row!.total, items: rows.map(({ url }) => url) }
}

/** Counts the comments of the videos again that actors have commented, given by a condition on `actors actor`. */
export async function recountCommentsOf(isAuthor: Sql, tx: Transaction): Promise<void> {
  const videos = await runQuery<{ id: number }>(
    sql`SELECT id FROM videos WHERE id IN (SELECT comment.video_id ${FROM} WHERE ${isAuthor}) ORDER BY id FOR UPDATE`,
    tx
  )
  await runQuery(
    sql`UPDATE videos SET comments = (SELECT count(*) ${FROM} WHERE comment.video_id = videos.id AND comment.deleted_at IS NULL
        AND ${isVisibleSql(COMMENT, ANYONE)}) WHERE id = ANY(${videos.map(({ id }) => id)})`,
    tx
  )
}

/** The condition that a viewer may see a comment itself; its thread may be hidden. */
function isVisibleSql({ comment, actor }: CommentAliases, { viewer, ownsVideo }: CommentViewer): Sql {
  const notBlocked = notBlockedSql({ actorId: sql`${actor}.id`, host: sql`${actor}.host` }, viewer?.id ?? null)
  if (ownsVideo || (viewer && viewer.role <= 1)) return notBlocked
  const notHeld = viewer ? sql`(NOT ${comment}.held OR ${comment}.account_id = ${viewer.accountId})` : sql`NOT ${comment}.held`
  return sql`${notHeld} AND ${notBlocked}`
}

/** The condition that a viewer may see a comment and the first one of its thread. */
function isVisibleInThreadSql(commentViewer: CommentViewer): Sql {
  const root = { comment: sql`root`, actor: sql`root_actor` }
  return sql`${isVisibleSql(COMMENT, commentViewer)} AND (comment.thread_id IS NULL OR EXISTS (SELECT 1 ${fromComments(root)}
    WHERE root.id = comment.thread_id AND ${isVisibleSql(root, commentViewer)}))`
}

/** The replies in the thread of `comment` that a viewer may see, as FROM and WHERE of `comment_reply`. */
function visibleRepliesSql(commentViewer: CommentViewer): Sql {
  const reply = { comment: sql`comment_reply`, actor: sql`reply_actor` }
  return sql`${fromComments(reply)} WHERE comment_reply.thread_id = comment.id AND comment_reply.deleted_at IS NULL
    AND ${isVisibleSql(reply, commentViewer)}`
}

function commentSql(commentViewer: CommentViewer): Sql {
  const replies = visibleRepliesSql(commentViewer)
  return sql`json_build_object('id', comment.id, 'url', comment.url, 'text', coalesce(comment.source, comment.text),
    'stored', comment.text, 'summary', comment.note_summary,
    'attachments', ${ATTACHMENTS_SQL}, 'remote', comment.remote,
    'threadId', coalesce(comment.thread_id, comment.id), 'inReplyToCommentId', comment.parent_id, 'videoId', comment.video_id,
    'createdAt', ${isoTimestampSql(sql`comment.created_at`)}, 'updatedAt', ${isoTimestampSql(sql`comment.updated_at`)},
      'deletedAt', ${isoTimestampSql(sql`comment.deleted_at`)}, 'heldForReview', comment.held, 'isDeleted', comment.deleted_at IS NOT NULL,
    'totalReplies', (SELECT count(*)::int ${replies}),
    'totalRepliesFromVideoAuthor', (SELECT count(*)::int ${replies} AND comment_reply.account_id = (SELECT c.account_id FROM videos v
      JOIN channels c ON c.id = v.channel_id WHERE v.id = comment.video_id)),
    'account', CASE WHEN comment.deleted_at IS NULL AND account.id IS NOT NULL THEN ${accountSql(sql`account`, sql`actor`)} END)`
}
