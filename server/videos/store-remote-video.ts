import { createHash, randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { acquireTextLocks } from '../core/locks.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { requestObjectRefresh } from '../fediverse/object-refreshes.ts'
import { addTombstone } from '../fediverse/tombstones.ts'
import { deleteOrRetainVideo } from './retention.ts'
import { VIDEO_PRIVACY, VIDEO_STATE, VideoModel } from './video.model.ts'
import { htmlToText } from './html-to-text.ts'
import { storeRemoteVideoFiles, storeRemoteImagesAndCaptions } from './store-remote-video-files.ts'
import type { VideoObject } from './video-object.ts'
import { VIDEO_FEDERATION } from './federation-internals.ts'
import { uuidOfUrl } from './video-uuid.ts'

/** States that are stored as the origin sent them: published, waiting for a live stream, live stream ended. */
const VISIBLE_STATES = [1, 4, 5]

/** Milliseconds that the clock of another server may be ahead (docs/federation.md#dates). */
const MAX_CLOCK_SKEW = 3_600_000

/**
 * Inserts or updates a remote video from its document and emits `video.received` after commit; a document older than the stored one
 * changes nothing. `requestedAt`: when the document was requested or received. `embedded`: it came in an activity; one that says something
 * else at the same time of change decides nothing, as PeerTube does not change that time with files, captions or chapters: the origin is
 * asked. Returns null if the video was deleted after that. A video is identified by its URL alone (docs/federation.md#uuids).
 */
export async function storeRemoteVideo(
  object: VideoObject,
  channelId: number,
  requestedAt: Date,
  { embedded = false } = {}
): Promise<VideoModel | null> {
  const description = object.content === null || object.mediaType !== 'text/html' ? object.content : await htmlToText(object.content)
  return await transaction(async tx => {
    await acquireTextLocks('VIDEO_URL', [object.id], tx)
    if (await isDeletedSince(object.id, requestedAt, tx)) return null
    const stored = await VideoModel.findOne({ where: { url: object.id }, transaction: tx, lock: true })
    const now = new Date()
    const publishedAt = object.published ?? object.updated
    const changedAt = object.updated ?? object.published
    // A document without a time of change, or with one that no clock explains, is of no other version than the stored one.
    const isPlausible = changedAt !== null && changedAt.getTime() <= now.getTime() + MAX_CLOCK_SKEW
    const updated = isPlausible ? changedAt : (stored?.remoteUpdatedAt ?? requestedAt)
    if (stored && (!stored.remote || (stored.remoteUpdatedAt?.getTime() ?? 0) > updated.getTime())) return stored
    const remoteDigest = digestOf(object)
    const isSameVersion = stored?.remoteUpdatedAt?.getTime() === updated.getTime()
    const isUndecided = isSameVersion && (stored.remoteDigest !== remoteDigest || stored.forbiddenSince !== null)
    // A hidden video becomes visible by what its origin serves: an activity of any version may have been sent before it was hidden.
    if (stored && embedded && (isUndecided || stored.forbiddenSince)) {
      await requestObjectRefresh(object.id, { tx })
      return stored
    }
    // What was requested before the stored document is not newer than that.
    if (stored && isUndecided && (stored.refreshedAt?.getTime() ?? 0) > requestedAt.getTime()) return stored
    const isPlayable = object.playlist !== null || object.files.length > 0
    const values = {
      channelId,
      name: object.name,
      description,
      support: object.support,
      category: object.category,
      licence: object.licence,
      language: object.language,
      tags: object.tags,
      nsfw: object.sensitive,
      nsfwSummary: object.summary,
      privacy: object.public ? VIDEO_PRIVACY.PUBLIC : VIDEO_PRIVACY.UNLISTED,
      state: VISIBLE_STATES.includes(object.state) || !isPlayable ? object.state : VIDEO_STATE.PUBLISHED,
      waitTranscoding: object.waitTranscoding,
      commentsPolicy: object.commentsPolicy,
      downloadEnabled: object.downloadEnabled,
      duration: object.duration,
      aspectRatio: object.aspectRatio,
      views: plausibleViews(object, stored),
      publishedAt: publishedAt && publishedAt <= now ? publishedAt : earlier(stored?.publishedAt ?? now, now),
      originallyPublishedAt: object.originallyPublished,
      remoteUpdatedAt: updated,
      remoteDigest,
      refreshAttempts: 0,
      refreshNotBefore: null,
      forbiddenSince: null,
      forbiddenPrivacy: null,
      refreshedAt: requestedAt,
      collections: object.collections,
      isLive: object.live !== null,
      aroundDueAt: new Date(),
      trackerUrls: object.trackers.map(tracker => tracker.url),
      goneAt: null
    }
    const isNew = stored === null || stored.goneAt !== null
    const video = stored
      ? await stored.update(values, { transaction: tx })
      : await VideoModel.create({ uuid: await chooseUuid(object, tx), url: object.id, remote: true, ...values }, { transaction: tx })
    await storeRemoteVideoFiles(video.id, object, tx)
    await storeRemoteImagesAndCaptions(video.id, object, tx)
    afterCommit(tx, () => emitEvent('video.received', { videoId: video.id, isNew }))
    return video
  })
}

/**
 * Deletes or retains (retention.ts) a remote video and adds a tombstone for its URL, as its origin answered to a request sent at
 * `requestedAt`; has no effect if the video was refreshed after that. Returns whether it did.
 */
export async function removeRemoteVideo(url: string, requestedAt: Date): Promise<boolean> {
  return await transaction(async tx => {
    await acquireTextLocks('VIDEO_URL', [url], tx)
    const [video] = await runQuery<{ id: number; uuid: string }>(
      sql`SELECT id, uuid FROM videos WHERE url = ${url} AND remote AND refreshed_at <= ${requestedAt} FOR UPDATE`,
      tx
    )
    if (!video) return false
    await addTombstone(url, tx)
    await deleteOrRetainVideo(video, tx)
    return true
  })
}

const earlier = (first: Date, other: Date) => (first < other ? first : other)

/** Returns the digest of a document without its views, which change all the time. */
function digestOf(object: VideoObject): string {
  return createHash('sha256')
    .update(JSON.stringify({ ...object, views: null }))
    .digest('base64')
}

/** Whether the video was deleted after the request; removes the tombstone of an earlier deletion, as the origin has the video again. */
async function isDeletedSince(url: string, requestedAt: Date, tx: Transaction): Promise<boolean> {
  const [laterDeletion] = await runQuery(sql`SELECT 1 FROM tombstones WHERE url = ${url} AND created_at > ${requestedAt}`, tx)
  if (laterDeletion) return true
  await runQuery(sql`DELETE FROM tombstones WHERE url = ${url}`, tx)
  return false
}

/** Returns the origin's view count, limited to the stored one plus `VIDEO_FEDERATION.maxViewJump` (docs/federation.md#view-counts). */
function plausibleViews(object: VideoObject, stored: VideoModel | null): number {
  return Math.min(object.views, Number(stored?.views ?? 0) + VIDEO_FEDERATION.maxViewJump)
}

/** Returns the origin's UUID or, where another video has it, one derived from the URL, so that no video replaces another. */
async function chooseUuid(object: VideoObject, tx: Transaction): Promise<string> {
  const [taken] = await runQuery(sql`SELECT 1 FROM videos WHERE uuid = ${object.uuid}`, tx)
  if (!taken) return object.uuid
  const derivedUuid = uuidOfUrl(object.id)
  const [takenToo] = await runQuery(sql`SELECT 1 FROM videos WHERE uuid = ${derivedUuid}`, tx)
  return takenToo ? randomUUID() : derivedUuid
}
