import { createHash, randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { acquireTextLocks } from '../core/locks.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { addTombstone } from '../fediverse/tombstones.ts'
import { deleteOrRetainVideo } from './retention.ts'
import { VIDEO_PRIVACY, VIDEO_STATE, VideoModel } from './video.model.ts'
import { htmlToText } from './html-to-text.ts'
import { storeRemoteVideoFiles, storeRemoteImagesAndCaptions } from './store-remote-video-files.ts'
import type { VideoObject } from './video-object.ts'

/** States a remote video may have here: published, a live that waits, a live that has ended. */
const VISIBLE = [1, 4, 5]

/**
 * Writes what the origin says of a video, as one or in the place of what was known; what is older than that changes nothing. `askedAt`:
 * when the origin said so; null when the video was deleted since. Nothing but the address decides which video it is
 * (docs/federation.md#uuids).
 */
export async function storeRemoteVideo(object: VideoObject, channelId: number, askedAt: Date): Promise<VideoModel | null> {
  const description = object.content === null || object.mediaType !== 'text/html' ? object.content : await htmlToText(object.content)
  return await transaction(async inside => {
    await acquireTextLocks('VIDEO_URL', [object.id], inside)
    if (await isDeletedSince(object.id, askedAt, inside)) return null
    const known = await VideoModel.findOne({ where: { url: object.id }, transaction: inside, lock: true })
    if (known && (!known.remote || (known.remoteUpdatedAt?.getTime() ?? 0) > object.updated.getTime())) return known
    const playable = object.playlist !== null || object.files.length > 0
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
      state: VISIBLE.includes(object.state) || !playable ? object.state : VIDEO_STATE.PUBLISHED,
      waitTranscoding: object.waitTranscoding,
      commentsPolicy: object.commentsPolicy,
      downloadEnabled: object.downloadEnabled,
      duration: object.duration,
      aspectRatio: object.aspectRatio,
      views: viewsOf(object, known),
      publishedAt: object.published,
      originallyPublishedAt: object.originallyPublished,
      remoteUpdatedAt: object.updated,
      refreshedAt: askedAt,
      collections: object.collections,
      isLive: object.live !== null,
      aroundDueAt: new Date(),
      trackerUrls: object.trackers.map(one => one.url),
      goneAt: null
    }
    const isNew = known === null || known.goneAt !== null
    const video = known
      ? await known.update(values, { transaction: inside })
      : await VideoModel.create({ uuid: await freeUuid(object, inside), url: object.id, remote: true, ...values }, { transaction: inside })
    await storeRemoteVideoFiles(video.id, object, inside)
    await storeRemoteImagesAndCaptions(video.id, object, inside)
    afterCommit(inside, () => emitEvent('video.received', { videoId: video.id, isNew }))
    return video
  })
}

/**
 * Removes a remote video and remembers that its origin took it away: because its owner says so, or its origin did when it was asked,
 * unless it said something else since.
 */
export async function removeRemoteVideo(url: string, because: { owner: string } | { askedAt: Date }): Promise<boolean> {
  return await transaction(async inside => {
    await acquireTextLocks('VIDEO_URL', [url], inside)
    const [video] = await runQuery<{ id: number; uuid: string }>(
      sql`
      SELECT v.id, v.uuid FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id
      WHERE v.url = ${url} AND v.remote AND ${'owner' in because ? sql`${because.owner} IN (aa.url, ca.url)` : sql`v.refreshed_at <= ${because.askedAt}`} FOR UPDATE OF v`,
      inside
    )
    if (!video) return false
    await addTombstone(url, inside)
    await deleteOrRetainVideo(video, inside)
    return true
  })
}

/** A deletion that came while the origin was being asked wins; an earlier one is forgotten, as the origin has the video again. */
async function isDeletedSince(url: string, askedAt: Date, inside: Transaction): Promise<boolean> {
  const [later] = await runQuery(sql`SELECT 1 FROM tombstones WHERE url = ${url} AND created_at > ${askedAt}`, inside)
  if (later) return true
  await runQuery(sql`DELETE FROM tombstones WHERE url = ${url}`, inside)
  return false
}

/** The origin's own number, but never more at once than is plausible (docs/federation.md#view-counts). */
function viewsOf(object: VideoObject, known: VideoModel | null): number {
  return Math.min(object.views, Number(known?.views ?? 0) + config.federation.videos.max_view_jump)
}

/** The origin's UUID; where another video has it, one made of the address, so that no video takes another's place. */
async function freeUuid(object: VideoObject, inside: Transaction): Promise<string> {
  const [taken] = await runQuery(sql`SELECT 1 FROM videos WHERE uuid = ${object.uuid}`, inside)
  if (!taken) return object.uuid
  const hash = createHash('sha256').update(object.id).digest('hex')
  const own = `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`
  const [again] = await runQuery(sql`SELECT 1 FROM videos WHERE uuid = ${own}`, inside)
  return again ? randomUUID() : own
}
