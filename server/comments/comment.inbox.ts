import type { Transaction } from 'sequelize'
import { instanceOrigin } from '../core/config.ts'
import { acquireTextLocks } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { resolveActivityActor } from '../actors/follow.inbox.ts'
import { addInstanceBlockHandler } from '../actors/blocks.ts'
import type { ActorModel } from '../actors/actor.model.ts'
import { resolveActor } from '../actors/resolve-actor.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { hasFollowsWithHost } from '../fediverse/confirm-at-origin.ts'
import { registerCrossOriginDeletePolicy } from '../fediverse/cross-origin-delete.ts'
import { parseRemoteDate } from '../fediverse/dates.ts'
import { hostOf, httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { canonicalUrl, registerLocalAddresses } from '../fediverse/local-addresses.ts'
import { registerObjectRefreshHandler, requestObjectRefresh } from '../fediverse/object-refreshes.ts'
import { RetryLaterError, onActivity, onActivityBatch, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { addNarrowing, addTombstone, isTombstoned, removeNarrowing } from '../fediverse/tombstones.ts'
import { idOf, isObject, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { registerVideoCollection } from '../videos/video-collections.ts'
import { isApprovedAtOrigin, type CommentSource } from './comment-approval.ts'
import { findCommentRow, getCommentRow, type CommentRow } from './comment.row.ts'
import { addRetentionCondition } from '../videos/retention.ts'
import { forwardCommentActivities, sendCommentActivity } from './comment.outbox.ts'
import { tombstoneComment, adjustCommentCount, releaseHeldComment } from './comments.ts'
import {
  COMMENT_TYPES,
  authorsOf,
  isPublicNote,
  parentsOf,
  parseCommentNote,
  renderCommentNoteHtml,
  sourceOfCommentNote,
  type ParsedCommentNote
} from './comment.codec.ts'
import { hasAttachments, storeAttachments } from './comment-attachments.ts'
import { listPublicCommentUrls, recountCommentsOf } from './comments.query.ts'
import { acceptCommentBatch } from './comment-batch.inbox.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

const POLICY_APPROVAL = 3
const POLICY_CLOSED = 2

/** Registers the handlers for comments of other servers; called once at start. */
export function registerCommentHandlers(): void {
  onActivityBatch('Create(Note)', async activities => new Map((await acceptCommentBatch(activities)).map(accepted => [accepted, true])))
  for (const type of COMMENT_TYPES) {
    onActivity(`Create(${type})`, handleNote)
    onActivity(`Update(${type})`, handleNote)
  }
  onActivity('Delete', handleDelete)
  onActivity('ApproveReply', handleReplyApproval)
  registerObjectRefreshHandler({
    types: COMMENT_TYPES,
    listOwners: async url => {
      const author = (await findCommentRow(sql`comment.url = ${url} AND comment.remote`))?.author
      return author ? [author] : []
    },
    store: async (document, _, budget) => await storeCommentDocument(document, budget),
    remove: removeRemoteComment
  })
  registerLocalAddresses({
    path: /^\/videos\/watch\/([^/]+\/comments\/\d+)$/i,
    find: async keys => new Map(keys.map(key => [key, `${instanceOrigin()}/videos/watch/${key.toLowerCase()}`]))
  })
  registerCrossOriginDeletePolicy(
    async ({ actor, object }) => (await findCommentRow(sql`comment.url = ${httpUrl(idOf(object))}`))?.owner === actor
  )
  addRetentionCondition(sql`EXISTS (SELECT 1 FROM comments WHERE comments.video_id = v.id AND NOT comments.remote)`)
  addInstanceBlockHandler(recountCommentsOf)
  registerVideoCollection(
    'comments',
    ({ id }) =>
      async (start, count) =>
        await listPublicCommentUrls(sql`comment.video_id = ${id}`, { start, count })
  )
  registerVideoCollection(
    'replies',
    ({ id }) =>
      async (start, count) =>
        await listPublicCommentUrls(sql`comment.video_id = ${id} AND comment.parent_id IS NULL`, { start, count })
  )
}

async function handleNote(incoming: IncomingActivity): Promise<boolean> {
  const budget = new FetchBudget()
  const { object, activity, actor } = incoming
  if (!isObject(object)) return false
  if (isPublicNote(object, activity) === false) return await hideComment(object, [actor], { isUpdate: incoming.type === 'Update' })
  const note = parseCommentNote(object, activity)
  if (!note || note.author !== actor || !note.isPublic) return false
  try {
    const placement = await resolvePlacement(note.inReplyTo, budget, new Set([note.url]))
    if (!placement) return false
    const author = await resolveActivityActor(incoming)
    await storeRemoteComment(note, placement, author.id, { incoming }, budget)
    return true
  } catch (error) {
    if (error instanceof FetchError) {
      if (error.kind === 'unreachable') throw new RetryLaterError(error.message)
      return false
    }
    throw error
  }
}

/** Fetches and stores a comment that a list names; `listedBy`: the address of the video or comment whose list it is. Throws FetchError. */
export async function fetchRemoteComment(url: string, listedBy: string): Promise<void> {
  const budget = new FetchBudget()
  const { document } = await fetchRemoteDocument(url, { budget })
  await storeCommentDocument(document, budget, { listedBy })
}

/** Stores a comment from the document that its origin serves, fetched by its URL. Throws FetchError. */
export async function storeCommentDocument(document: JsonObject, budget: FetchBudget, source: CommentSource = {}): Promise<void> {
  if (isPublicNote(document) === false) await hideComment(document, authorsOf(document))
  const note = parseCommentNote(document)
  const placement = note?.isPublic ? await resolvePlacement(note.inReplyTo, budget, new Set([note.url])) : null
  if (note && placement) await storeRemoteComment(note, placement, (await resolveAuthor(note, budget)).id, source, budget)
}

/** Of those a comment is attributed to, the one who is known as its author, else the first that is no group. Throws FetchError. */
async function resolveAuthor({ url, author, authors }: ParsedCommentNote, budget: FetchBudget): Promise<ActorModel> {
  if (authors.length === 1) return await resolveActor(author, { budget })
  const known = (await findCommentRow(sql`comment.url = ${url}`))?.author
  for (const one of known && authors.includes(known) ? [known] : authors) {
    const actor = await resolveActor(one, { budget })
    if (actor.type !== 'Group') return actor
  }
  return await resolveActor(author, { budget })
}

/**
 * Replaces a comment by a tombstone where its author has narrowed it to fewer people, unless what is stored is newer. An Update may come
 * before its Create, which then shows no text unless the origin does; only of servers that may make this one ask is that remembered. Returns
 * whether anything was hidden.
 */
async function hideComment(object: JsonObject, authors: string[], { isUpdate = false } = {}): Promise<boolean> {
  const url = httpUrl(object.id)
  const changedAt = parseRemoteDate(object.updated)?.getTime() ?? NaN
  if (!url) return false
  return await transaction(async tx => {
    await acquireTextLocks('COMMENT_URL', [url], tx)
    const row = await findCommentRow(sql`comment.url = ${url}`, tx)
    if (!row) {
      const isOwnReply = isUpdate && authorsOf(object).some(author => authors.includes(author)) && parentsOf(object).length > 0
      if (!isOwnReply || !(await hasFollowsWithHost(hostOf(url)))) return false
      await addTombstone(url, tx)
      return true
    }
    if (!row.remote || row.deleted_at || !authors.includes(row.author ?? '') || changedAt < row.updated_at.getTime()) return false
    await tombstoneComment(row, tx)
    await addNarrowing(url, tx)
    return true
  })
}

/** Replaces a remote comment by a tombstone: its origin does not have it any more. */
export async function removeRemoteComment(url: string): Promise<void> {
  await transaction(async tx => {
    const row = await findCommentRow(sql`comment.url = ${url} AND comment.remote`, tx)
    if (row) await tombstoneComment(row, tx)
  })
}

type CommentPlacement = { videoId: number; parentId: number | null; threadId: number | null }

/**
 * Returns where a comment belongs that replies to one of `urls`: directly below a known video, or below a comment as its reply, though that
 * may be deleted. Fetches and stores missing parents, at most `CRAWL.maxReplies` of them (docs/federation.md#reply-chains).
 */
async function resolvePlacement(urls: string[], budget: FetchBudget, seen: Set<string>): Promise<CommentPlacement | null> {
  for (const url of urls) {
    const known = await findKnownPlacement(await canonicalUrl(url))
    if (known) return known
  }
  let failure: unknown = null
  for (const url of urls) {
    try {
      const placement = await fetchPlacement(url, budget, seen)
      if (placement) return placement
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      failure ??= error
    }
  }
  if (failure !== null) throw failure
  return null
}

async function findKnownPlacement(url: string): Promise<CommentPlacement | null> {
  const [video] = await runQuery<{ id: number }>(
    sql`SELECT id FROM videos WHERE url = ${url} AND CASE WHEN remote THEN gone_at IS NULL AND privacy IN (1, 2) ELSE state = 1
      AND (privacy IN (1, 2) OR publications > 0) END`
  )
  if (video) return { videoId: video.id, parentId: null, threadId: null }
  const parent = await findCommentRow(sql`comment.url = ${url}`)
  return parent && { videoId: parent.video_id, parentId: parent.id, threadId: parent.thread_id ?? parent.id }
}

async function fetchPlacement(url: string, budget: FetchBudget, seen: Set<string>): Promise<CommentPlacement | null> {
  if (seen.has(url) || seen.size >= CRAWL.maxReplies) return null
  seen.add(url)
  const { document } = await fetchRemoteDocument(url, { budget })
  // A deleted parent that was never here tells at most what it replied to.
  if (typeOf(document) === 'Tombstone' || (await isTombstoned(url))) return await resolvePlacement(parentsOf(document), budget, seen)
  const note = parseCommentNote(document)
  const placement = note?.isPublic ? await resolvePlacement(note.inReplyTo, budget, seen) : null
  if (!note || !placement) return null
  const author = await resolveAuthor(note, budget)
  const row = await storeRemoteComment(note, placement, author.id, {}, budget)
  return row ? { videoId: row.video_id, parentId: row.id, threadId: row.thread_id ?? row.id } : null
}

/** Stores a remote comment once and never replaces a newer version with an older one; returns null where the comment is not allowed. */
async function storeRemoteComment(
  note: ParsedCommentNote,
  { videoId, parentId, threadId }: CommentPlacement,
  actorId: number,
  source: CommentSource,
  budget: FetchBudget
): Promise<StoredComment | null> {
  const text = await renderCommentNoteHtml(note)
  if ((text === '' && note.attachments.length === 0) || !(await isShownAtOrigin(note, videoId, source, budget))) return null
  const { incoming } = source
  let isUndecided = false
  const stored = await transaction(async tx => {
    await acquireTextLocks('COMMENT_URL', [note.url], tx)
    const [video] = await runQuery<{ remote: boolean; policy: number; url: string; account: number | null }>(
      sql`
      SELECT remote, comments_policy AS policy, url, (SELECT id FROM accounts WHERE actor_id = ${actorId}) AS account FROM videos
        WHERE id = ${videoId}`,
      tx
    )
    if (!video?.account || (await isTombstoned(note.url, tx))) return null
    const [existing] = await runQuery<ExistingComment>(
      sql`SELECT id, video_id, thread_id, account_id, text, note_summary, remote, held, deleted_at, updated_at, reply_approval FROM comments WHERE url = ${note.url} FOR UPDATE`,
      tx
    )
    if (existing && (existing.account_id !== video.account || !existing.remote)) return null
    // The origin has confirmed that it is public again, or there were a tombstone.
    const isWidened = existing?.deleted_at ? await removeNarrowing(note.url, tx) : false
    if (existing?.deleted_at && !isWidened) return null
    if (!existing && video.policy === POLICY_CLOSED) return null
    if (existing && !isWidened && !isNewer(existing, note)) {
      if (isOlder(existing, note, incoming) || (await isSame(existing, note, text, tx))) return existing
      // What has the same time of change but says something else (docs/federation.md#order).
      isUndecided = incoming !== undefined
      if (incoming && incoming.type !== 'Update') return existing
    }
    const now = new Date()
    const isNew = !existing || isWidened
    const held = isNew ? !video.remote && video.policy === POLICY_APPROVAL && !existing?.reply_approval : existing.held
    const [row] = await runQuery<StoredComment>(
      sql`
      INSERT INTO comments (url, video_id, account_id, parent_id, thread_id, text, source, note_summary, remote, held, reply_approval, created_at, updated_at)
      VALUES (${note.url}, ${videoId}, ${video.account}, ${parentId}, ${threadId}, ${text}, ${sourceOfCommentNote(note)}, ${note.summary}, true, ${held},
        ${video.remote && sameOrigin(note.approval ?? '', video.url) ? note.approval : null}, ${note.published ?? note.updated ?? now}, ${note.updated ?? now})
      ON CONFLICT (url) DO UPDATE SET text = excluded.text, source = excluded.source, note_summary = excluded.note_summary, updated_at = excluded.updated_at,
        held = CASE WHEN ${isWidened} THEN excluded.held ELSE comments.held END,
        deleted_at = CASE WHEN ${isWidened} THEN NULL ELSE comments.deleted_at END
      RETURNING id, video_id, thread_id`,
      tx
    )
    await storeAttachments(row!.id, note.attachments, tx)
    if (!video.remote && !held && incoming) await forwardCommentActivities([{ url: note.url, videoId, incoming }], tx)
    // Last: every comment below this video waits for this row.
    await adjustCommentCount({ videoId, accountId: video.account }, isNew && !held ? 1 : 0, tx)
    return row!
  })
  if (incoming && isUndecided && (await hasFollowsWithHost(hostOf(incoming.signer)))) await requestObjectRefresh(note.url)
  return stored
}

/** Whether a comment is stored, or its video is from here or needs no approval, or the origin of the video has approved it. Throws FetchError. */
async function isShownAtOrigin(note: ParsedCommentNote, videoId: number, source: CommentSource, budget: FetchBudget): Promise<boolean> {
  const [guarded] = await runQuery<{ url: string; owners: string[] }>(sql`
    SELECT v.url, ARRAY[owner.url, channel_actor.url] AS owners FROM videos v JOIN channels c ON c.id = v.channel_id
      JOIN actors channel_actor ON channel_actor.id = c.actor_id JOIN accounts a ON a.id = c.account_id
      JOIN actors owner ON owner.id = a.actor_id
    WHERE v.id = ${videoId} AND v.remote AND v.comments_policy = ${POLICY_APPROVAL}
      AND NOT EXISTS (SELECT 1 FROM comments WHERE comments.url = ${note.url})`)
  return !guarded || (await isApprovedAtOrigin(note, guarded, source, budget))
}

/** Whether a version of a comment was changed after the stored one. */
const isNewer = (existing: ExistingComment, { updated }: ParsedCommentNote) => updated !== null && updated > existing.updated_at

/** Whether a version was changed before the stored one; what its origin serves without a time of change is how the comment is now. */
function isOlder(existing: ExistingComment, { updated, published }: ParsedCommentNote, incoming: IncomingActivity | undefined): boolean {
  if (updated === null || updated >= existing.updated_at) return false
  return incoming !== undefined || updated.getTime() !== published?.getTime()
}

/** Whether a comment says what it said before. */
async function isSame(existing: ExistingComment, note: ParsedCommentNote, text: string, tx: Transaction): Promise<boolean> {
  return existing.text === text && existing.note_summary === note.summary && (await hasAttachments(existing.id, note.attachments, tx))
}

type StoredComment = Pick<CommentRow, 'id' | 'video_id' | 'thread_id'>
type ExistingComment = StoredComment &
  Pick<CommentRow, 'account_id' | 'text' | 'note_summary' | 'remote' | 'held' | 'deleted_at' | 'updated_at' | 'reply_approval'>

/** A comment may be deleted by its author or by the owner of the video. */
async function handleDelete(incoming: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(incoming.object))
  return await transaction(async tx => {
    const row = url ? await findCommentRow(sql`comment.url = ${url}`, tx) : null
    if (!row) return false
    if (row.author !== incoming.actor && row.owner !== incoming.actor) return true
    if (row.deleted_at) {
      await removeNarrowing(row.url, tx)
      return true
    }
    if (!row.video_remote && !row.held) await forwardCommentActivities([{ url: row.url, videoId: row.video_id, incoming }], tx)
    await tombstoneComment(row, tx)
    return true
  })
}

/** Handles the approval of a local comment by the owner of a remote video: the comment is sent again, now with its approval. */
async function handleReplyApproval({ id, actor, object }: IncomingActivity): Promise<boolean> {
  return await transaction(async tx => {
    const row = await findCommentRow(sql`comment.url = ${httpUrl(idOf(object))}`, tx)
    if (!row || row.remote || !row.video_remote || row.owner !== actor || row.deleted_at) return false
    const wasHeld = await releaseHeldComment(row.id, id, tx)
    await sendCommentActivity(await getCommentRow(row.id, tx), 'Create', tx)
    await adjustCommentCount({ videoId: row.video_id, accountId: row.account_id }, wasHeld ? 1 : 0, tx)
    return true
  })
}
