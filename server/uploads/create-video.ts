import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import type { Transaction } from 'sequelize'
import { assertQuota } from '../accounts/quota.ts'
import { runQuery, sql } from '../core/sql.ts'
import type { VideoStream } from '../media/probe.ts'
import { probeMedia } from '../media/probe.ts'
import { linkIntoStorage } from '../storage/disk.ts'
import { queueTranscoding } from '../transcoding/queue-transcoding.ts'
import { configuredProbeLimits } from '../transcoding/transcoding-settings.ts'
import { setVideoImages, type PreparedVideoImage } from '../videos/video-images.ts'
import { VideoSourceModel } from '../videos/video-file.model.ts'
import type { VideoModel } from '../videos/video.model.ts'
import { assertOwnChannel, createVideo, type VideoAttributes } from '../videos/videos.ts'
import { assertUploadExtension, assertUploadSize, toUploadProblem } from './validation.ts'

/** A whole file with what its owner said of it. */
export type UploadedFile = {
  path: string
  name: string
  size: number
  userId: number
  channelId: number
  attributes: VideoAttributes
  pictures: PreparedVideoImage[]
}

/**
 * Makes a video of a delivered file in the transaction: probed, within quota, its rows written, its encoding queued for after commit.
 * The delivered file stays where it is; the caller removes it after commit. Throws 400, 413, 415, 422.
 */
export async function createVideoFromUpload(delivery: UploadedFile, transaction: Transaction): Promise<VideoModel> {
  assertUploadExtension(delivery.name)
  assertUploadSize(delivery.size)
  await assertOwnChannel(delivery.channelId, delivery.userId, transaction)
  const probed = await probeMedia(delivery.path, configuredProbeLimits()).catch(error => {
    throw toUploadProblem(error)
  })
  // One at a time per user: two uploads that fit alone must not pass together.
  await runQuery(sql`SELECT id FROM users WHERE id = ${delivery.userId} FOR UPDATE`, transaction)
  await assertQuota({ id: delivery.userId }, delivery.size)

  const video = await createVideo(delivery.channelId, delivery.attributes, transaction)
  const filename = `${randomUUID()}${extname(delivery.name).toLowerCase()}`
  await linkIntoStorage(delivery.path, 'original_video_files', filename)
  const picture = probed.video?.attachedPic ? null : probed.video
  await video.update({ duration: probed.duration, aspectRatio: aspectRatio(picture) }, { transaction })
  await VideoSourceModel.create(
    {
      videoId: video.id,
      inputFilename: delivery.name,
      filename,
      size: delivery.size,
      width: picture?.width ?? null,
      height: picture?.height ?? null,
      fps: picture?.fps ?? null,
      resolution: picture ? Math.min(picture.width, picture.height) : 0,
      metadata: probed.metadata,
      probe: probed
    },
    { transaction }
  )
  await setVideoImages(video.id, delivery.pictures, transaction)
  await queueTranscoding(video.id, transaction)
  return video
}

function aspectRatio(picture: VideoStream | null): number {
  return picture ? picture.width / picture.height : 16 / 9
}
