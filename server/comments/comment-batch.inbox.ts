import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { acquireTextLocks } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import type { IncomingActivity } from '../fediverse/activity-handlers.ts'
import { findTombstoned } from '../fediverse/tombstones.ts'
import { isObject } from '../fediverse/vocabulary.ts'
import { forwardCommentActivities } from './comment.outbox.ts'
import { adjustCommentCount } from './comments.ts'
import { parseCommentNote, renderCommentNoteHtml, type ParsedCommentNote } from './comment.codec.ts'

type Place = { url: string; video_id: number; remote: boolean; account_id: number; parent_id: number | null; thread_id: number | null }
type Comment = Place & { note: ParsedCommentNote; text: string; incoming: IncomingActivity }

/**
 * Takes new comments all at once, as they come by the hundred below a video that many watch: by people who are known here, below videos and
 * comments that are known here, where nobody has to approve them. Gives those it took; the others are taken one by one.
 */
export async function acceptCommentBatch(all: IncomingActivity[]): Promise<IncomingActivity[]> {
  const notes = new Map<string, { note: ParsedCommentNote; incoming: IncomingActivity }>()
  for (const incoming of all) {
    const note = isObject(incoming.object) ? parseCommentNote(incoming.object) : null
    if (note?.isPublic && note.author === incoming.actor && !note.approval) notes.set(note.url, { note, incoming })
  }
  const comments: Comment[] = []
  for (const place of await placesOf([...notes.values()].map(({ note }) => note))) {
    const { note, incoming } = notes.get(place.url)!
    const text = await renderCommentNoteHtml(note)
    if (text !== '') comments.push({ ...place, note, text, incoming })
  }
  return comments.length === 0 ? [] : await transaction(async inside => await store(comments, inside))
}

/** Where comments belong whose place, author and rules are known; those that are known already are left out. */
async function placesOf(notes: ParsedCommentNote[]): Promise<Place[]> {
  if (notes.length === 0) return []
  return await runQuery<Place>(sql`
    SELECT given.url, v.id AS video_id, v.remote, account.id AS account_id, parent.id AS parent_id, coalesce(parent.thread_id, parent.id) AS thread_id
    FROM unnest(${notes.map(note => note.url)}::text[], ${notes.map(note => note.inReplyTo)}::text[], ${notes.map(note => note.author)}::text[]) AS given (url, reply, author)
      JOIN actors author ON author.url = given.author AND author.host IS NOT NULL AND author.refreshed_at > now() - make_interval(secs => ${config.federation.actors.refresh_after / 1000}::double precision)
      JOIN accounts account ON account.actor_id = author.id
      LEFT JOIN comments parent ON parent.url = given.reply AND parent.deleted_at IS NULL
      LEFT JOIN videos answered ON answered.url = given.reply
      JOIN videos v ON v.id = coalesce(answered.id, parent.video_id)
    WHERE v.comments_policy = 1 AND CASE WHEN v.remote THEN v.gone_at IS NULL AND v.privacy IN (1, 2) ELSE v.state = 1 AND (v.privacy IN (1, 2) OR v.publications > 0) END
      AND NOT EXISTS (SELECT 1 FROM comments known WHERE known.url = given.url)`)
}

async function store(all: Comment[], inside: Transaction): Promise<IncomingActivity[]> {
  await acquireTextLocks(
    'COMMENT_URL',
    all.map(({ url }) => url),
    inside
  )
  const gone = await findTombstoned(
    all.map(({ url }) => url),
    inside
  )
  const alive = all.filter(({ url }) => !gone.has(url))
  const rows = await runQuery<{ url: string }>(
    sql`
    INSERT INTO comments (url, video_id, account_id, parent_id, thread_id, text, remote, held, created_at, updated_at)
    SELECT url, video, account, parent, thread, text, true, false, created, updated
    FROM unnest(${alive.map(({ url }) => url)}::text[], ${alive.map(one => one.video_id)}::int[], ${alive.map(one => one.account_id)}::int[], ${alive.map(one => one.parent_id)}::int[], ${alive.map(one => one.thread_id)}::int[],
      ${alive.map(({ text }) => text)}::text[], ${alive.map(({ note }) => note.published.toISOString())}::timestamptz[], ${alive.map(({ note }) => note.updated.toISOString())}::timestamptz[])
      WITH ORDINALITY AS given (url, video, account, parent, thread, text, created, updated, place)
    ORDER BY place ON CONFLICT (url) DO NOTHING RETURNING url`,
    inside
  )
  const written = new Set(rows.map(({ url }) => url))
  const stored = alive.filter(({ url }) => written.has(url))
  await forwardCommentActivities(
    stored.filter(({ remote }) => !remote).map(({ url, video_id, incoming }) => ({ url, videoId: video_id, incoming })),
    inside
  )
  const sums = new Map<number, number>()
  for (const { video_id } of stored) sums.set(video_id, (sums.get(video_id) ?? 0) + 1)
  // Last, as others wait for these rows; always in the same order, so that no two wait for each other.
  for (const [videoId, more] of [...sums].sort(([one], [other]) => one - other)) await adjustCommentCount(videoId, more, inside)
  return stored.map(({ incoming }) => incoming)
}
