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
import { federateVideo, federateVideoDeletion, federateVideoChannelChange } from './video.outbox.ts'
import { COMMENTS_POLICY_LABELS, idWithLabel, VIDEO_STATE_LABELS } from './labels.ts'
import { evictVideoAccessInfo } from './public-file-cache.ts'
import { remoteVideoFilesJson } from './remote-video.shape.ts'
import { setVideoImages, type PreparedVideoImage } from './video-images.ts'
import { listVideoFileNames, removeVideoFiles } from './remove-video-files.ts'
import { VIDEO_PRIVACY, VIDEO_STATE, VideoModel, VideoPasswordModel } from './video.model.ts'
import { canManageVideo } from './video.policy.ts'
import { localVideoFilesJson, videoJson } from './video.shape.ts'
import { refreshViewerCounts } from './viewer-counts.ts'
import { findVideoDetailsRow, type VideoDetailsRow } from './videos.query.ts'

/** The metadata an owner gives, already validated. */
export type VideoAttributes = { [K in keyof typeof VideoUpdateFields]?: z.output<(typeof VideoUpdateFields)[K]> }

/** A video for its page. Throws 401, 403 (with PeerTube's codes) or 404. */
export async function findVideo(id: number | string, asking: VideoRequestContext): Promise<VideoDetails> {
  const guarded = await findVideoAccessInfo(id)
  await assertCanWatchVideo(guarded, id, asking)
  const row = await findVideoDetailsRow(guarded.id)
  if (!row) throw notFound('Video')
  await refreshViewerCounts()
  return detailsJson(row, asking.viewer)
}

/** The whole description, for those who may watch. */
export async function findVideoDescription(id: number | string, asking: VideoRequestContext): Promise<string | null> {
  const guarded = await findVideoAccessInfo(id)
  await assertCanWatchVideo(guarded, id, asking)
  return (await VideoModel.findByPk(guarded.id, { attributes: ['description'], rejectOnEmpty: notFound('Video') })).description
}

/** Makes a video's rows in a transaction; its file is on its way. */
export async function createVideo(channelId: number, attributes: VideoAttributes, transaction: Transaction): Promise<VideoModel> {
  const uuid = randomUUID()
  const { publish } = config.defaults
  const video = await VideoModel.create(
    {
      uuid,
      url: videoUrl(uuid),
      channelId,
      name: attributes.name!,
      ...plainFields(attributes),
      privacy: attributes.privacy ?? publish.privacy,
      state: VIDEO_STATE.TO_TRANSCODE,
      licence: attributes.licence === undefined ? publish.licence : attributes.licence,
      commentsPolicy: commentsPolicy(attributes) ?? publish.comments_policy,
      downloadEnabled: attributes.downloadEnabled ?? publish.download_enabled,
      waitTranscoding: attributes.waitTranscoding ?? false,
      publishedAt: new Date(),
      ...schedule(attributes)
    },
    { transaction }
  )
  await setPasswords(video, attributes, null, transaction)
  return video
}

/** Changes a video's metadata, pictures, privacy and channel. Throws 403, 404, 400. */
export async function updateVideo(
  id: number | string,
  viewer: Viewer,
  attributes: VideoAttributes & { channelId?: number },
  pictures: PreparedVideoImage[]
): Promise<void> {
  const guarded = await findManagedVideo(id, viewer)
  await transaction(async transaction => {
    const video = await VideoModel.findByPk(guarded.id, { transaction, lock: true, rejectOnEmpty: notFound('Video') })
    const [before, oldChannelId] = [video.privacy, video.channelId]
    if (attributes.channelId !== undefined && attributes.channelId !== video.channelId) {
      await assertOwnChannel(attributes.channelId, guarded.ownerUserId!, transaction)
      video.channelId = attributes.channelId
    }
    const { privacy, waitTranscoding, downloadEnabled } = attributes
    video.set({ ...plainFields(attributes), ...(attributes.name === undefined ? {} : { name: attributes.name }) })
    if (attributes.licence !== undefined) video.licence = attributes.licence
    if (privacy !== undefined) video.privacy = privacy
    if (waitTranscoding !== undefined && video.state !== VIDEO_STATE.PUBLISHED) video.waitTranscoding = waitTranscoding
    if (downloadEnabled !== undefined) video.downloadEnabled = downloadEnabled
    video.commentsPolicy = commentsPolicy(attributes) ?? video.commentsPolicy
    video.set(schedule(attributes))
    await setPasswords(video, attributes, before, transaction)
    // A video that everybody sees for the first time is new now.
    if (video.privacy === VIDEO_PRIVACY.PUBLIC && before !== VIDEO_PRIVACY.PUBLIC) video.publishedAt = new Date()
    video.changed('updatedAt', true)
    await video.save({ transaction })
    await setVideoImages(video.id, pictures, transaction)
    if (video.channelId !== oldChannelId) await federateVideoChannelChange(video.id, oldChannelId, transaction)
    await federateVideo(video.id, transaction)
  })
  evictVideoAccessInfo(guarded.uuid)
}

/** Deletes a video with its files. Throws 403, 404. */
export async function deleteVideo(id: number | string, viewer: Viewer): Promise<void> {
  const guarded = await findManagedVideo(id, viewer)
  const names = await listVideoFileNames(guarded.id)
  await transaction(async transaction => {
    await federateVideoDeletion(guarded.id, transaction)
    await VideoModel.destroy({ where: { id: guarded.id }, transaction })
  })
  evictVideoAccessInfo(guarded.uuid)
  emitEvent('video.deleted', { uuid: guarded.uuid, folder: guarded.uuid })
  await removeVideoFiles(names)
}

/** Throws PeerTube's 400 unless the channel exists and is the user's. */
export async function assertOwnChannel(channelId: number, userId: number, transaction?: Transaction): Promise<void> {
  const [channel] = await runQuery<{ user_id: number | null }>(
    sql`SELECT a.user_id FROM channels c JOIN accounts a ON a.id = c.account_id WHERE c.id = ${channelId}`,
    transaction
  )
  if (!channel) throw new Problem(400, null, 'Unknown video "video channel" for this instance.')
  if (channel.user_id !== userId) throw new Problem(400, null, 'Unknown video "video channel" for this account.')
}

function detailsJson(row: VideoDetailsRow, viewer: Viewer | null): VideoDetails {
  const mine = canManageVideo(viewer, { ownerUserId: row.owner_user_id })
  // Until it is published only those who manage it may play it.
  const playable = row.state === VIDEO_STATE.PUBLISHED || mine
  return {
    ...videoJson(row, mine),
    description: row.description,
    account: row.account,
    channel: row.channel,
    blacklisted: false,
    blacklistedReason: null,
    ...(row.remote_files
      ? remoteVideoFilesJson(row, row.remote_files)
      : localVideoFilesJson(row, row.playlist && playable ? [row.playlist] : [])),
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

type Plain = Pick<VideoAttributes, 'description' | 'support' | 'category' | 'language' | 'nsfw' | 'originallyPublishedAt'> & {
  tags?: string[]
}

/** What is stored as it was given; undefined leaves the old value. */
function plainFields({ description, support, category, language, tags, nsfw, originallyPublishedAt }: VideoAttributes): Plain {
  const given = { description, support, category, language, tags: tags === null ? [] : tags, nsfw, originallyPublishedAt }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function commentsPolicy({ commentsPolicy, commentsEnabled }: VideoAttributes): number | undefined {
  return commentsPolicy ?? (commentsEnabled === undefined ? undefined : commentsEnabled ? 1 : 2)
}

function schedule({ scheduleUpdate }: VideoAttributes): { scheduleAt?: Date | null; schedulePrivacy?: number | null } {
  if (scheduleUpdate === undefined) return {}
  if (scheduleUpdate === null) return { scheduleAt: null, schedulePrivacy: null }
  return { scheduleAt: scheduleUpdate.updateAt, schedulePrivacy: scheduleUpdate.privacy ?? VIDEO_PRIVACY.PUBLIC }
}

async function setPasswords(
  video: VideoModel,
  { videoPasswords }: VideoAttributes,
  before: number | null,
  transaction: Transaction
): Promise<void> {
  if (video.privacy !== VIDEO_PRIVACY.PASSWORD) {
    if (before === VIDEO_PRIVACY.PASSWORD) await VideoPasswordModel.destroy({ where: { videoId: video.id }, transaction })
    return
  }
  if (!videoPasswords?.length) {
    if (before === VIDEO_PRIVACY.PASSWORD) return
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
  await VideoPasswordModel.destroy({ where: { videoId: video.id }, transaction })
  await VideoPasswordModel.bulkCreate(
    [...new Set(videoPasswords)].map(password => ({ videoId: video.id, password })),
    { transaction }
  )
}

/** The three names of a video, as uploads answer them. */
export const videoIdentifiers = (video: { id: number; uuid: string }): { id: number; uuid: string; shortUUID: string } => ({
  id: video.id,
  uuid: video.uuid,
  shortUUID: shortUuid(video.uuid)
})
