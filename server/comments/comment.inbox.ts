import { config } from '../core/config.ts'
import { acquireTextLocks } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { resolveActivityActor } from '../actors/follow.inbox.ts'
import { resolveActor } from '../actors/resolve-actor.ts'
import { Budget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { registerCrossOriginDeletePolicy } from '../fediverse/cross-origin-delete.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { RetryLaterError, onActivity, onActivityBatch, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { isTombstoned } from '../fediverse/tombstones.ts'
import { idOf, isObject } from '../fediverse/vocabulary.ts'
import { registerVideoCollection } from '../videos/video-collections.ts'
import { findCommentRow, getCommentRow, type CommentRow } from './comment.row.ts'
import { addRetentionCondition } from '../videos/retention.ts'
import { forwardCommentActivities, sendCommentActivity } from './comment.outbox.ts'
import { tombstoneComment, adjustCommentCount, releaseHeldComment } from './comments.ts'
import { parseCommentNote, renderCommentNoteHtml, type ParsedCommentNote } from './comment.codec.ts'
import { acceptCommentBatch } from './comment-batch.inbox.ts'

const APPROVAL = 3
const CLOSED = 2

/** Hears comments of other servers. */
export function registerCommentHandlers(): void {
  onActivityBatch('Create(Note)', async all => new Map((await acceptCommentBatch(all)).map(taken => [taken, true])))
  onActivity('Create(Note)', receiveNote)
  onActivity('Update(Note)', receiveNote)
  onActivity('Delete', receiveDelete)
  onActivity('ApproveReply', receiveApproval)
  registerCrossOriginDeletePolicy(
    async ({ actor, object }) => (await findCommentRow(sql`comment.url = ${httpUrl(idOf(object))}`))?.owner === actor
  )
  addRetentionCondition(sql`EXISTS (SELECT 1 FROM comments WHERE comments.video_id = v.id AND NOT comments.remote)`)
  registerVideoCollection('comments', ({ id }) => async (start, count) => {
    const where = sql`FROM comments WHERE video_id = ${id} AND deleted_at IS NULL AND NOT held`
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total ${where}`)
    const rows = await runQuery<{ url: string }>(sql`SELECT url ${where} ORDER BY id DESC LIMIT ${count} OFFSET ${start}`)
    return { total: row!.total, items: rows.map(({ url }) => url) }
  })
}

async function receiveNote(incoming: IncomingActivity): Promise<boolean> {
  const budget = new Budget()
  const note = isObject(incoming.object) ? parseCommentNote(incoming.object) : null
  if (!note || note.author !== incoming.actor || !note.isPublic) return false
  try {
    const place = await placeOf(note.inReplyTo, budget, new Set([note.url]))
    if (!place) return false
    const actor = await resolveActivityActor(incoming)
    await store(note, place, actor.id, { incoming })
    return true
  } catch (error) {
    if (error instanceof FetchError) {
      if (error.kind === 'unreachable') throw new RetryLaterError(error.message)
      return false
    }
    throw error
  }
}

/** Takes a comment that its video's origin lists. Throws FetchError. */
export async function fetchRemoteComment(url: string): Promise<void> {
  const budget = new Budget()
  const { document } = await fetchRemoteDocument(url, { budget })
  const note = document.type === 'Note' ? parseCommentNote(document) : null
  const place = note?.isPublic ? await placeOf(note.inReplyTo, budget, new Set([note.url])) : null
  if (note && place) await store(note, place, (await resolveActor(note.author, { budget })).id, { approved: true })
}

type Place = { videoId: number; parentId: number | null; threadId: number | null }

/**
 * Where a comment belongs: below a video known here, or an answer to one; what lies between is fetched, but not for ever
 * (docs/federation.md#reply-chains).
 */
async function placeOf(url: string, budget: Budget, seen: Set<string>): Promise<Place | null> {
  const [video] = await runQuery<{ id: number }>(
    sql`SELECT id FROM videos WHERE url = ${url} AND CASE WHEN remote THEN gone_at IS NULL AND privacy IN (1, 2) ELSE state = 1 AND (privacy IN (1, 2) OR publications > 0) END`
  )
  if (video) return { videoId: video.id, parentId: null, threadId: null }
  const parent = await findCommentRow(sql`comment.url = ${url}`)
  if (parent) return parent.deleted_at ? null : { videoId: parent.video_id, parentId: parent.id, threadId: parent.thread_id ?? parent.id }
  if (seen.has(url) || seen.size >= config.federation.crawl.max_replies || (await isTombstoned(url))) return null
  seen.add(url)
  const { document } = await fetchRemoteDocument(url, { budget })
  const note = document.type === 'Note' ? parseCommentNote(document) : null
  const place = note?.isPublic ? await placeOf(note.inReplyTo, budget, seen) : null
  if (!note || !place) return null
  const author = await resolveActor(note.author, { budget })
  const row = await store(note, place, author.id, {})
  return row ? { videoId: row.video_id, parentId: row.id, threadId: row.thread_id ?? row.id } : null
}

/** Writes a comment of somebody elsewhere, once, and never older words over newer ones; null where it may not stand there. */
async function store(
  note: ParsedCommentNote,
  { videoId, parentId, threadId }: Place,
  actorId: number,
  { incoming, approved = false }: { incoming?: IncomingActivity; approved?: boolean }
): Promise<Stored | null> {
  const text = await renderCommentNoteHtml(note)
  if (text === '') return null
  return await transaction(async inside => {
    await acquireTextLocks('COMMENT_URL', [note.url], inside)
    const [video] = await runQuery<{ remote: boolean; policy: number; url: string; account: number | null }>(
      sql`
      SELECT remote, comments_policy AS policy, url, (SELECT id FROM accounts WHERE actor_id = ${actorId}) AS account FROM videos WHERE id = ${videoId}`,
      inside
    )
    if (!video?.account || (await isTombstoned(note.url, inside))) return null
    const [known] = await runQuery<Known>(
      sql`SELECT id, video_id, thread_id, account_id, remote, held, deleted_at, updated_at, reply_approval FROM comments WHERE url = ${note.url}`,
      inside
    )
    if (known && (known.account_id !== video.account || known.deleted_at || !known.remote)) return null
    if (!known && video.policy === CLOSED) return null
    // What another server's owner has not approved yet, that server does not send on.
    if (
      !known &&
      video.remote &&
      video.policy === APPROVAL &&
      !note.approval &&
      !approved &&
      (!incoming || hostOf(incoming.signer) !== hostOf(video.url))
    )
      return null
    if (known && known.updated_at >= note.updated && known.reply_approval === (note.approval ?? known.reply_approval)) return known
    const held = known?.held ?? (!video.remote && video.policy === APPROVAL)
    const [row] = await runQuery<Stored>(
      sql`
      INSERT INTO comments (url, video_id, account_id, parent_id, thread_id, text, remote, held, reply_approval, created_at, updated_at)
      VALUES (${note.url}, ${videoId}, ${video.account}, ${parentId}, ${threadId}, ${text}, true, ${held}, ${video.remote ? note.approval : null}, ${note.published}, ${note.updated})
      ON CONFLICT (url) DO UPDATE SET text = excluded.text, updated_at = excluded.updated_at RETURNING id, video_id, thread_id`,
      inside
    )
    if (!video.remote && !held && incoming) await forwardCommentActivities([{ url: note.url, videoId, incoming }], inside)
    // Last: everybody who comments below this video waits for its row.
    await adjustCommentCount(videoId, known || held ? 0 : 1, inside)
    return row!
  })
}
type Stored = Pick<CommentRow, 'id' | 'video_id' | 'thread_id'>
type Known = Stored & Pick<CommentRow, 'account_id' | 'remote' | 'held' | 'deleted_at' | 'updated_at' | 'reply_approval'>

/** Its author takes a comment back, or the owner of the video below which it stands. */
async function receiveDelete(incoming: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(incoming.object))
  return await transaction(async inside => {
    const row = url ? await findCommentRow(sql`comment.url = ${url}`, inside) : null
    if (!row) return false
    if (row.deleted_at || (row.author !== incoming.actor && row.owner !== incoming.actor)) return true
    if (!row.video_remote && !row.held) await forwardCommentActivities([{ url: row.url, videoId: row.video_id, incoming }], inside)
    await tombstoneComment(row, inside)
    return true
  })
}

/** The owner of another server's video has approved a comment of ours; with that it is told once more. */
async function receiveApproval({ id, actor, object }: IncomingActivity): Promise<boolean> {
  return await transaction(async inside => {
    const row = await findCommentRow(sql`comment.url = ${httpUrl(idOf(object))}`, inside)
    if (!row || row.remote || !row.video_remote || row.owner !== actor || row.deleted_at) return false
    const wasHeld = await releaseHeldComment(row.id, id, inside)
    await sendCommentActivity(await getCommentRow(row.id, inside), 'Create', inside)
    await adjustCommentCount(row.video_id, wasHeld ? 1 : 0, inside)
    return true
  })
}
