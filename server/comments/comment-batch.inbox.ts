import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { acquireTextLocks } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import type { IncomingActivity } from '../fediverse/activity-handlers.ts'
import { findTombstoned } from '../fediverse/tombstones.ts'
import { isObject } from '../fediverse/vocabulary.ts'
import { forwardCommentActivities } from './comment.outbox.ts'
import { adjustCommentCount } from './comments.ts'
import { parseCommentNote, renderCommentNoteHtml, sourceOfCommentNote, type ParsedCommentNote } from './comment.codec.ts'

type CommentPlacement = {
  url: string
  video_id: number
  remote: boolean
  account_id: number
  parent_id: number | null
  thread_id: number | null
}
type BatchComment = CommentPlacement & { note: ParsedCommentNote; text: string; incoming: IncomingActivity }

/**
 * Stores new comments in one transaction, as hundreds arrive at once below a popular video. Accepts only comments by remote authors
 * refreshed within `federation.actors.refresh_after`, below a known video or comment whose policy requires no approval. Returns the
 * activities it stored; the caller processes the others one by one.
 */
export async function acceptCommentBatch(activities: IncomingActivity[]): Promise<IncomingActivity[]> {
  const notes = new Map<string, { note: ParsedCommentNote; incoming: IncomingActivity }>()
  for (const incoming of activities) {
    const note = isObject(incoming.object) ? parseCommentNote(incoming.object, incoming.activity) : null
    if (note && isPlain(note) && note.author === incoming.actor) notes.set(note.url, { note, incoming })
  }
  const comments: BatchComment[] = []
  for (const placement of await findPlacements([...notes.values()].map(({ note }) => note))) {
    const { note, incoming } = notes.get(placement.url)!
    const text = await renderCommentNoteHtml(note)
    if (text !== '') comments.push({ ...placement, note, text, incoming })
  }
  return comments.length === 0 ? [] : await transaction(async tx => await insertComments(comments, tx))
}

/** Whether a comment has nothing but a text and its dates. */
function isPlain({ isPublic, approval, inReplyTo, attachments, summary, published }: ParsedCommentNote): boolean {
  return isPublic && !approval && inReplyTo.length === 1 && attachments.length === 0 && summary === null && published !== null
}

/**
 * Finds the video, the parent and the author of comments for which all three are known and the rules allow it; omits comments that are
 * stored already.
 */
async function findPlacements(notes: ParsedCommentNote[]): Promise<CommentPlacement[]> {
  if (notes.length === 0) return []
  return await runQuery<CommentPlacement>(sql`
    SELECT given.url, v.id AS video_id, v.remote, account.id AS account_id, parent.id AS parent_id,
      coalesce(parent.thread_id, parent.id) AS thread_id
    FROM unnest(
        ${notes.map(note => note.url)}::text[], ${notes.map(note => note.inReplyTo[0])}::text[], ${notes.map(note => note.author)}::text[]
      ) AS given (url, reply, author)
      JOIN actors author ON author.url = given.author AND author.host IS NOT NULL
        AND author.refreshed_at > now() - ${sqlInterval(config.federation.actors.refresh_after)}
      JOIN accounts account ON account.actor_id = author.id
      LEFT JOIN comments parent ON parent.url = given.reply
      LEFT JOIN videos answered ON answered.url = given.reply
      JOIN videos v ON v.id = coalesce(answered.id, parent.video_id)
    WHERE v.comments_policy = 1
      AND CASE WHEN v.remote THEN v.gone_at IS NULL AND v.privacy IN (1, 2) ELSE v.state = 1 AND (v.privacy IN (1, 2)
        OR v.publications > 0) END
      AND NOT EXISTS (SELECT 1 FROM comments known WHERE known.url = given.url)`)
}

async function insertComments(comments: BatchComment[], tx: Transaction): Promise<IncomingActivity[]> {
  await acquireTextLocks(
    'COMMENT_URL',
    comments.map(({ url }) => url),
    tx
  )
  const tombstoned = await findTombstoned(
    comments.map(({ url }) => url),
    tx
  )
  const accepted = comments.filter(({ url }) => !tombstoned.has(url))
  const rows = await runQuery<{ url: string }>(
    sql`
    INSERT INTO comments (url, video_id, account_id, parent_id, thread_id, text, source, remote, held, created_at, updated_at)
    SELECT url, video, account, parent, thread, text, source, true, false, created, updated
    FROM unnest(${accepted.map(({ url }) => url)}::text[], ${accepted.map(comment => comment.video_id)}::int[],
      ${accepted.map(comment => comment.account_id)}::int[],
      ${accepted.map(comment => comment.parent_id)}::int[], ${accepted.map(comment => comment.thread_id)}::int[],
      ${accepted.map(({ text }) => text)}::text[], ${accepted.map(({ note }) => sourceOfCommentNote(note))}::text[],
      ${accepted.map(({ note }) => note.published!.toISOString())}::timestamptz[],
      ${accepted.map(({ note }) => note.updated!.toISOString())}::timestamptz[])
      WITH ORDINALITY AS given (url, video, account, parent, thread, text, source, created, updated, place)
    ORDER BY place ON CONFLICT (url) DO NOTHING RETURNING url`,
    tx
  )
  const insertedUrls = new Set(rows.map(({ url }) => url))
  const stored = accepted.filter(({ url }) => insertedUrls.has(url))
  await forwardCommentActivities(
    stored.filter(({ remote }) => !remote).map(({ url, video_id, incoming }) => ({ url, videoId: video_id, incoming })),
    tx
  )
  const countByVideo = new Map<number, number>()
  for (const { video_id } of stored) countByVideo.set(video_id, (countByVideo.get(video_id) ?? 0) + 1)
  // Last, because other transactions wait for these rows; in ascending order of id, so that two transactions cannot deadlock.
  for (const [videoId, increment] of [...countByVideo].sort(([first], [other]) => first - other))
    await adjustCommentCount({ videoId, accountId: null }, increment, tx)
  return stored.map(({ incoming }) => incoming)
}
