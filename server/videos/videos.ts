import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import type { z } from 'zod'
import { shortUuid } from '../../shared/short-uuid.ts'
import type { VideoDetails, VideoFields } from '../../shared/videos.ts'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { emit } from '../core/events.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { run, sql } from '../core/sql.ts'
import { assertMayWatch, guardedVideo, managedVideo, type Asking } from './video-access.ts'
import { videoUrl } from './video-urls.ts'
import { federate, federateDeletion, federateMove } from './video.outbox.ts'
import { COMMENTS_POLICIES, labelled, STATES } from './labels.ts'
import { forgetFilm } from './public-file-cache.ts'
import { remoteJson } from './remote-video.shape.ts'
import { setPictures, type Picture } from './video-images.ts'
import { fileNames, removeFiles } from './remove-video-files.ts'
import { PRIVACY, STATE, Video, VideoPassword } from './video.model.ts'
import { canManage } from './video.policy.ts'
import { localFiles, videoJson } from './video.shape.ts'
import { refreshViewers } from './viewer-counts.ts'
import { videoDetails, type DetailsRow } from './videos.query.ts'

/** The metadata an owner gives, already validated. */
export type Attributes = { [K in keyof typeof VideoFields]?: z.output<(typeof VideoFields)[K]> }

/** A video for its page. Throws 401, 403 (with PeerTube's codes) or 404. */
export async function findVideo(id: number | string, asking: Asking): Promise<VideoDetails> {
  const guarded = await guardedVideo(id)
  await assertMayWatch(guarded, id, asking)
  const row = await videoDetails(guarded.id)
  if (!row) throw notFound('Video')
  await refreshViewers()
  return detailsJson(row, asking.viewer)
}

/** The whole description, for those who may watch. */
export async function findDescription(id: number | string, asking: Asking): Promise<string | null> {
  const guarded = await guardedVideo(id)
  await assertMayWatch(guarded, id, asking)
  return (await Video.findByPk(guarded.id, { attributes: ['description'], rejectOnEmpty: notFound('Video') })).description
}

/** Makes a video's rows in a transaction; its file is on its way. */
export async function createVideo(channelId: number, attributes: Attributes, transaction: Transaction): Promise<Video> {
  const uuid = randomUUID()
  const { publish } = config.defaults
  const video = await Video.create(
    {
      uuid,
      url: videoUrl(uuid),
      channelId,
      name: attributes.name!,
      ...plainFields(attributes),
      privacy: attributes.privacy ?? publish.privacy,
      state: STATE.TO_TRANSCODE,
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
  attributes: Attributes & { channelId?: number },
  pictures: Picture[]
): Promise<void> {
  const guarded = await managedVideo(id, viewer)
  await transaction(async transaction => {
    const video = await Video.findByPk(guarded.id, { transaction, lock: true, rejectOnEmpty: notFound('Video') })
    const [before, oldChannelId] = [video.privacy, video.channelId]
    if (attributes.channelId !== undefined && attributes.channelId !== video.channelId) {
      await assertOwnChannel(attributes.channelId, guarded.ownerUserId!, transaction)
      video.channelId = attributes.channelId
    }
    const { privacy, waitTranscoding, downloadEnabled } = attributes
    video.set({ ...plainFields(attributes), ...(attributes.name === undefined ? {} : { name: attributes.name }) })
    if (attributes.licence !== undefined) video.licence = attributes.licence
    if (privacy !== undefined) video.privacy = privacy
    if (waitTranscoding !== undefined && video.state !== STATE.PUBLISHED) video.waitTranscoding = waitTranscoding
    if (downloadEnabled !== undefined) video.downloadEnabled = downloadEnabled
    video.commentsPolicy = commentsPolicy(attributes) ?? video.commentsPolicy
    video.set(schedule(attributes))
    await setPasswords(video, attributes, before, transaction)
    // A video that everybody sees for the first time is new now.
    if (video.privacy === PRIVACY.PUBLIC && before !== PRIVACY.PUBLIC) video.publishedAt = new Date()
    video.changed('updatedAt', true)
    await video.save({ transaction })
    await setPictures(video.id, pictures, transaction)
    if (video.channelId !== oldChannelId) await federateMove(video.id, oldChannelId, transaction)
    await federate(video.id, transaction)
  })
  forgetFilm(guarded.uuid)
}

/** Deletes a video with its files. Throws 403, 404. */
export async function deleteVideo(id: number | string, viewer: Viewer): Promise<void> {
  const guarded = await managedVideo(id, viewer)
  const names = await fileNames(guarded.id)
  await transaction(async transaction => {
    await federateDeletion(guarded.id, transaction)
    await Video.destroy({ where: { id: guarded.id }, transaction })
  })
  forgetFilm(guarded.uuid)
  emit('video.deleted', { uuid: guarded.uuid, folder: guarded.uuid })
  await removeFiles(names)
}

/** Throws PeerTube's 400 unless the channel exists and is the user's. */
export async function assertOwnChannel(channelId: number, userId: number, transaction?: Transaction): Promise<void> {
  const [channel] = await run<{ user_id: number | null }>(
    sql`SELECT a.user_id FROM channels c JOIN accounts a ON a.id = c.account_id WHERE c.id = ${channelId}`,
    transaction
  )
  if (!channel) throw new Problem(400, null, 'Unknown video "video channel" for this instance.')
  if (channel.user_id !== userId) throw new Problem(400, null, 'Unknown video "video channel" for this account.')
}

function detailsJson(row: DetailsRow, viewer: Viewer | null): VideoDetails {
  const mine = canManage(viewer, { ownerUserId: row.owner_user_id })
  // Until it is published only those who manage it may play it.
  const playable = row.state === STATE.PUBLISHED || mine
  return {
    ...videoJson(row, mine),
    description: row.description,
    account: row.account,
    channel: row.channel,
    blacklisted: false,
    blacklistedReason: null,
    ...(row.remote_files ? remoteJson(row, row.remote_files) : localFiles(row, row.playlist && playable ? [row.playlist] : [])),
    support: row.support,
    descriptionPath: `/api/v1/videos/${row.uuid}/description`,
    tags: row.tags,
    commentsEnabled: row.comments_policy !== 2,
    commentsPolicy: labelled(row.comments_policy, COMMENTS_POLICIES),
    downloadEnabled: row.download_enabled,
    waitTranscoding: row.wait_transcoding,
    inputFileUpdatedAt: row.input_file_updated_at?.toISOString() ?? null,
    state: labelled(row.state, STATES),
    trackerUrls: row.tracker_urls
  }
}

type Plain = Pick<Attributes, 'description' | 'support' | 'category' | 'language' | 'nsfw' | 'originallyPublishedAt'> & { tags?: string[] }

/** What is stored as it was given; undefined leaves the old value. */
function plainFields({ description, support, category, language, tags, nsfw, originallyPublishedAt }: Attributes): Plain {
  const given = { description, support, category, language, tags: tags === null ? [] : tags, nsfw, originallyPublishedAt }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

function commentsPolicy({ commentsPolicy, commentsEnabled }: Attributes): number | undefined {
  return commentsPolicy ?? (commentsEnabled === undefined ? undefined : commentsEnabled ? 1 : 2)
}

function schedule({ scheduleUpdate }: Attributes): { scheduleAt?: Date | null; schedulePrivacy?: number | null } {
  if (scheduleUpdate === undefined) return {}
  if (scheduleUpdate === null) return { scheduleAt: null, schedulePrivacy: null }
  return { scheduleAt: scheduleUpdate.updateAt, schedulePrivacy: scheduleUpdate.privacy ?? PRIVACY.PUBLIC }
}

async function setPasswords(video: Video, { videoPasswords }: Attributes, before: number | null, transaction: Transaction): Promise<void> {
  if (video.privacy !== PRIVACY.PASSWORD) {
    if (before === PRIVACY.PASSWORD) await VideoPassword.destroy({ where: { videoId: video.id }, transaction })
    return
  }
  if (!videoPasswords?.length) {
    if (before === PRIVACY.PASSWORD) return
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
  await VideoPassword.destroy({ where: { videoId: video.id }, transaction })
  await VideoPassword.bulkCreate(
    [...new Set(videoPasswords)].map(password => ({ videoId: video.id, password })),
    { transaction }
  )
}

/** The three names of a video, as uploads answer them. */
export const videoNames = (video: { id: number; uuid: string }): { id: number; uuid: string; shortUUID: string } => ({
  id: video.id,
  uuid: video.uuid,
  shortUUID: shortUuid(video.uuid)
})
