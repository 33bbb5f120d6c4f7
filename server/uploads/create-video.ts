import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import type { Transaction } from 'sequelize'
import { assertQuota } from '../accounts/quota.ts'
import { run, sql } from '../core/sql.ts'
import type { VideoStream } from '../media/probe.ts'
import { probe } from '../media/probe.ts'
import { storeLink } from '../storage/disk.ts'
import { queueTranscoding } from '../transcoding/queue-transcoding.ts'
import { probeLimits } from '../transcoding/transcoding-settings.ts'
import { setPictures, type Picture } from '../videos/video-images.ts'
import { VideoSource } from '../videos/video-file.model.ts'
import type { Video } from '../videos/video.model.ts'
import { assertOwnChannel, createVideo, type Attributes } from '../videos/videos.ts'
import { assertExtension, assertSize, refusal } from './validation.ts'

/** A whole file with what its owner said of it. */
export type Delivery = {
  path: string
  name: string
  size: number
  userId: number
  channelId: number
  attributes: Attributes
  pictures: Picture[]
}

/**
 * Makes a video of a delivered file in the transaction: probed, within quota, its rows written, its encoding queued for after commit.
 * The delivered file stays where it is; the caller removes it after commit. Throws 400, 413, 415, 422.
 */
export async function takeVideo(delivery: Delivery, transaction: Transaction): Promise<Video> {
  assertExtension(delivery.name)
  assertSize(delivery.size)
  await assertOwnChannel(delivery.channelId, delivery.userId, transaction)
  const probed = await probe(delivery.path, probeLimits()).catch(error => {
    throw refusal(error)
  })
  // One at a time per user: two uploads that fit alone must not pass together.
  await run(sql`SELECT id FROM users WHERE id = ${delivery.userId} FOR UPDATE`, transaction)
  await assertQuota({ id: delivery.userId }, delivery.size)

  const video = await createVideo(delivery.channelId, delivery.attributes, transaction)
  const filename = `${randomUUID()}${extname(delivery.name).toLowerCase()}`
  await storeLink(delivery.path, 'original_video_files', filename)
  const picture = probed.video?.attachedPic ? null : probed.video
  await video.update({ duration: probed.duration, aspectRatio: aspectRatio(picture) }, { transaction })
  await VideoSource.create(
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
  await setPictures(video.id, delivery.pictures, transaction)
  await queueTranscoding(video.id, transaction)
  return video
}

function aspectRatio(picture: VideoStream | null): number {
  return picture ? picture.width / picture.height : 16 / 9
}
