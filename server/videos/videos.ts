import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import type { z } from 'zod'
import { shortUuid } from '../../shared/short-uuid.ts'
import type { VideoDetails, VideoUpdateFields } from '../../shared/videos.ts'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { assertCanWatchVideo, findVideoAccessInfo, findManagedVideo, type VideoRequestContext } from './video-access.ts'
import { videoUrl } from './video-urls.ts'
import { assertFollowConstraints } from './follow-constraints.ts'
import { federateVideo, federateVideoDeletion, federateVideoChannelChange } from './video.outbox.ts'
import { COMMENTS_POLICY_LABELS, idWithLabel, VIDEO_STATE_LABELS } from './labels.ts'
import { addTokensToPictures, fileTokenHolder } from './video-file-token.ts'
import { evictVideoAccessInfo } from './public-file-cache.ts'
import { remoteVideoFilesJson } from './remote-video.shape.ts'
import { renameVideoFiles } from './rename-video-files.ts'
import { setVideoImages, type PreparedVideoImage } from './video-images.ts'
import { listVideoFileNames, removeVideoFiles } from './remove-video-files.ts'
import { VIDEO_PRIVACY, VIDEO_STATE, VideoModel, VideoPasswordModel } from './video.model.ts'
import { canManageVideo, isPublicOrUnlisted } from './video.policy.ts'
import { localVideoFilesJson, videoJson } from './video.shape.ts'
import { findUploadedFile } from './uploaded-file.ts'
import { refreshViewerCounts } from './viewer-counts.ts'
import { findVideoDetailsRow, type VideoDetailsRow } from './videos.query.ts'

/** The metadata that an owner can set, validated. */
export type VideoAttributes = { [K in keyof typeof VideoUpdateFields]?: z.output<(typeof VideoUpdateFields)[K]> }

/** Returns the details of a video for the API. Throws 401, 403 (with PeerTube's codes) or 404. */
export async function findVideo(id: number | string, context: VideoRequestContext): Promise<VideoDetails> {
  const access = await findVideoAccessInfo(id)
  const passwordId = await assertCanWatchVideo(access, id, context)
  await assertFollowConstraints(access, context.viewer)
  const row = await findVideoDetailsRow(access.id)
  if (!row) throw notFound('Video')
  await refreshViewerCounts()
  const details = await addTokensToPictures(detailsJson(row, context.viewer), fileTokenHolder(context.viewer, passwordId))
  if (details.files.length > 0 || row.remote || !canManageVideo(context.viewer, access)) return details
  const uploadedFile = await findUploadedFile(access)
  return uploadedFile ? { ...details, files: [uploadedFile] } : details
}

/** Returns the full description of a video. Throws 401, 403 or 404. */
export async function findVideoDescription(id: number | string, context: VideoRequestContext): Promise<string | null> {
  const access = await findVideoAccessInfo(id)
  await assertCanWatchVideo(access, id, context)
  await assertFollowConstraints(access, context.viewer)
  return (await VideoModel.findByPk(access.id, { attributes: ['description'], rejectOnEmpty: notFound('Video') })).description
}

/** Creates the rows of a video in state TO_TRANSCODE, in a transaction. Throws 400 without a password where the privacy needs one. */
export async function createVideo(channelId: number, attributes: VideoAttributes, tx: Transaction): Promise<VideoModel> {
  const uuid = randomUUID()
  const { publish } = config.defaults
  const video = await VideoModel.create(
    {
      uuid,
      url: videoUrl(uuid),
      channelId,
      name: attributes.name!,
      ...unconvertedFields(attributes),
      privacy: attributes.privacy ?? publish.privacy,
      state: VIDEO_STATE.TO_TRANSCODE,
      licence: attributes.licence === undefined ? publish.licence : attributes.licence,
      commentsPolicy: commentsPolicyOf(attributes) ?? publish.comments_policy,
      downloadEnabled: attributes.downloadEnabled ?? publish.download_enabled,
      waitTranscoding: attributes.waitTranscoding ?? false,
      publishedAt: new Date(),
      ...scheduleFields(attributes)
    },
    { transaction: tx }
  )
  await setPasswords(video, attributes, null, tx)
  return video
}

/** Updates a video's metadata, images, privacy and channel, and federates the change. Throws 400, 403, 404. */
export async function updateVideo(
  id: number | string,
  viewer: Viewer,
  attributes: VideoAttributes & { channelId?: number },
  images: PreparedVideoImage[]
): Promise<void> {
  const access = await findManagedVideo(id, viewer)
  await transaction(async tx => {
    const video = await VideoModel.findByPk(access.id, { transaction: tx, lock: true, rejectOnEmpty: notFound('Video') })
    const [oldPrivacy, oldChannelId] = [video.privacy, video.channelId]
    if (attributes.channelId !== undefined && attributes.channelId !== video.channelId) {
      await assertOwnChannel(attributes.channelId, access.ownerUserId!, tx)
      video.channelId = attributes.channelId
    }
    const { privacy, waitTranscoding, downloadEnabled } = attributes
    video.set({ ...unconvertedFields(attributes), ...(attributes.name === undefined ? {} : { name: attributes.name }) })
    if (attributes.licence !== undefined) video.licence = attributes.licence
    if (privacy !== undefined) video.privacy = privacy
    if (waitTranscoding !== undefined && video.state !== VIDEO_STATE.PUBLISHED) video.waitTranscoding = waitTranscoding
    if (downloadEnabled !== undefined) video.downloadEnabled = downloadEnabled
    video.commentsPolicy = commentsPolicyOf(attributes) ?? video.commentsPolicy
    video.set(scheduleFields(attributes))
    await setPasswords(video, attributes, oldPrivacy, tx)
    // An internal video was published for everybody here already.
    if (video.privacy === VIDEO_PRIVACY.PUBLIC && oldPrivacy !== VIDEO_PRIVACY.PUBLIC && oldPrivacy !== VIDEO_PRIVACY.INTERNAL)
      video.publishedAt = new Date()
    video.changed('updatedAt', true)
    await video.save({ transaction: tx })
    await setVideoImages(video.id, images, tx)
    if (isPublicOrUnlisted(oldPrivacy) && !isPublicOrUnlisted(video.privacy)) await renameVideoFiles(video, tx)
    if (video.channelId !== oldChannelId) await federateVideoChannelChange(video.id, oldChannelId, tx)
    await federateVideo(video.id, tx)
  })
  evictVideoAccessInfo(access.uuid)
}

/** Deletes a video with its files. Throws 403, 404. */
export async function deleteVideo(id: number | string, viewer: Viewer): Promise<void> {
  const access = await findManagedVideo(id, viewer)
  const names = await transaction(async tx => {
    // Images that a transcoding adds now are listed here, or cannot be added any more.
    await runQuery(sql`SELECT id FROM videos WHERE id = ${access.id} FOR UPDATE`, tx)
    const files = await listVideoFileNames(access.id, tx)
    await federateVideoDeletion(access.id, tx)
    await VideoModel.destroy({ where: { id: access.id }, transaction: tx })
    return files
  })
  evictVideoAccessInfo(access.uuid)
  emitEvent('video.deleted', { uuid: access.uuid, folder: access.uuid })
  await removeVideoFiles(names)
}

/** Throws 400, as PeerTube does, unless the channel exists and belongs to the user. */
export async function assertOwnChannel(channelId: number, userId: number, tx?: Transaction): Promise<void> {
  const [channel] = await runQuery<{ user_id: number | null }>(
    sql`SELECT a.user_id FROM channels c JOIN accounts a ON a.id = c.account_id WHERE c.id = ${channelId}`,
    tx
  )
  if (!channel) throw new Problem(400, null, 'Unknown video "video channel" for this instance.')
  if (channel.user_id !== userId) throw new Problem(400, null, 'Unknown video "video channel" for this account.')
}

/** Throws 404 unless the channel exists and belongs to the account: which channels others have is none of the viewer's videos. */
export async function assertChannelOfAccount(channelId: number, accountId: number): Promise<void> {
  if ((await runQuery(sql`SELECT 1 FROM channels WHERE id = ${channelId} AND account_id = ${accountId}`)).length === 0)
    throw notFound('Video channel')
}

function detailsJson(row: VideoDetailsRow, viewer: Viewer | null): VideoDetails {
  const canManage = canManageVideo(viewer, { ownerUserId: row.owner_user_id })
  // Before publication only users who can manage the video may play it.
  const isPlayable = row.state === VIDEO_STATE.PUBLISHED || canManage
  return {
    ...videoJson(row, canManage),
    description: row.description,
    account: row.account,
    channel: row.channel,
    blacklisted: false,
    blacklistedReason: null,
    ...(row.remote_files
      ? remoteVideoFilesJson(row, row.remote_files)
      : localVideoFilesJson(row, row.playlist && isPlayable ? [row.playlist] : [])),
    support: row.support,
    descriptionPath: `/api/v1/videos/${row.uuid}/description`,
    tags: row.tags,
    commentsEnabled: row.comments_policy !== 2,
    commentsPolicy: idWithLabel(row.comments_policy, COMMENTS_POLICY_LABELS),
    downloadEnabled: row.download_enabled,
    waitTranscoding: row.wait_transcoding,
    inputFileUpdatedAt: row.input_file_updated_at?.toISOString() ?? null,
    state: idWithLabel(row.state, VIDEO_STATE_LABELS),
    trackerUrls: row.tracker_urls
  }
}

type UnconvertedFields = Pick<VideoAttributes, 'description' | 'support' | 'category' | 'language' | 'nsfw' | 'originallyPublishedAt'> & {
  tags?: string[]
}

/** Returns the given attributes that are stored without conversion; those that are undefined are left out and keep their value. */
function unconvertedFields({
  description,
  support,
  category,
  language,
  tags,
  nsfw,
  originallyPublishedAt
}: VideoAttributes): UnconvertedFields {
  const given = { description, support, category, language, tags: tags === null ? [] : tags, nsfw, originallyPublishedAt }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function commentsPolicyOf({ commentsPolicy, commentsEnabled }: VideoAttributes): number | undefined {
  return commentsPolicy ?? (commentsEnabled === undefined ? undefined : commentsEnabled ? 1 : 2)
}

function scheduleFields({ scheduleUpdate }: VideoAttributes): { scheduleAt?: Date | null; schedulePrivacy?: number | null } {
  if (scheduleUpdate === undefined) return {}
  if (scheduleUpdate === null) return { scheduleAt: null, schedulePrivacy: null }
  return { scheduleAt: scheduleUpdate.updateAt, schedulePrivacy: scheduleUpdate.privacy ?? VIDEO_PRIVACY.PUBLIC }
}

/**
 * Replaces the passwords, if any are given, of a video of privacy PASSWORD; deletes those of other videos. `oldPrivacy`: null for a new
 * video. Throws 400 where a video gets that privacy without a password.
 */
async function setPasswords(
  video: VideoModel,
  { videoPasswords }: VideoAttributes,
  oldPrivacy: number | null,
  tx: Transaction
): Promise<void> {
  if (video.privacy !== VIDEO_PRIVACY.PASSWORD) {
    if (oldPrivacy === VIDEO_PRIVACY.PASSWORD) await VideoPasswordModel.destroy({ where: { videoId: video.id }, transaction: tx })
    return
  }
  if (!videoPasswords?.length) {
    if (oldPrivacy === VIDEO_PRIVACY.PASSWORD) return
    throw new Problem(400, null, 'Incorrect request parameters: videoPasswords', {
      'invalid-params': {
        videoPasswords: {
          type: 'field',
          msg: 'A password protected video should have at least one password',
          path: 'videoPasswords',
          location: 'body'
        }
      }
    })
  }
  await VideoPasswordModel.destroy({ where: { videoId: video.id }, transaction: tx })
  await VideoPasswordModel.bulkCreate(
    [...new Set(videoPasswords)].map(password => ({ videoId: video.id, password })),
    { transaction: tx }
  )
}

/** Returns the three identifiers of a video, as upload responses contain them. */
export const videoIdentifiers = (video: { id: number; uuid: string }): { id: number; uuid: string; shortUUID: string } => ({
  id: video.id,
  uuid: video.uuid,
  shortUUID: shortUuid(video.uuid)
})
