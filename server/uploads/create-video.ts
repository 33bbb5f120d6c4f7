import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import type { Transaction } from 'sequelize'
import { assertQuota } from '../accounts/quota.ts'
import { logger } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { afterCommit } from '../core/transaction.ts'
import type { VideoStream } from '../media/probe.ts'
import { linkIntoStorage } from '../storage/disk.ts'
import { queueTranscoding } from '../transcoding/queue-transcoding.ts'
import { makeUploadedFileTorrents } from '../videos/make-uploaded-file-torrents.job.ts'
import { setVideoImages, type PreparedVideoImage } from '../videos/video-images.ts'
import { VideoSourceModel } from '../videos/video-file.model.ts'
import type { VideoModel } from '../videos/video.model.ts'
import { assertOwnChannel, createVideo, type VideoAttributes } from '../videos/videos.ts'
import { probeUploadedFile } from './probe-upload.ts'
import { assertUploadExtension, assertUploadSize } from './validation.ts'

/** A completely uploaded file with the attributes given by its owner. */
export type UploadedFile = {
  path: string
  name: string
  size: number
  userId: number
  channelId: number
  attributes: VideoAttributes
  images: PreparedVideoImage[]
}

/**
 * Creates a video from an uploaded file within the transaction: probes it, checks the quota, writes the rows, and queues the encoding and the
 * torrent of the file for after commit. The uploaded file stays where it is; the caller removes it after commit. Throws 400, 401 where the user is blocked
 * by now, 413, 415, 422.
 */
export async function createVideoFromUpload(upload: UploadedFile, tx: Transaction): Promise<VideoModel> {
  assertUploadExtension(upload.name)
  assertUploadSize(upload.size)
  await assertOwnChannel(upload.channelId, upload.userId, tx)
  const probe = await probeUploadedFile(upload.path)
  // Serialized per user: two uploads that each fit the quota must not pass together.
  const uploaders = await runQuery(sql`SELECT id FROM users WHERE id = ${upload.userId} AND NOT blocked FOR NO KEY UPDATE`, tx)
  // Bytes may arrive for half an hour after the request was let in.
  if (uploaders.length === 0) throw new Problem(401, 'invalid_token', 'Token is invalid')
  await assertQuota({ id: upload.userId }, upload.size, tx)

  const video = await createVideo(upload.channelId, upload.attributes, tx)
  const filename = `${randomUUID()}${extname(upload.name).toLowerCase()}`
  await linkIntoStorage(upload.path, 'original_video_files', filename)
  const videoStream = probe.video?.attachedPic ? null : probe.video
  await video.update({ duration: probe.duration, aspectRatio: aspectRatio(videoStream) }, { transaction: tx })
  await VideoSourceModel.create(
    {
      videoId: video.id,
      inputFilename: upload.name,
      filename,
      size: upload.size,
      width: videoStream?.width ?? null,
      height: videoStream?.height ?? null,
      fps: videoStream?.fps ?? null,
      resolution: videoStream ? Math.min(videoStream.width, videoStream.height) : 0,
      metadata: probe.metadata,
      probe
    },
    { transaction: tx }
  )
  await setVideoImages(video.id, upload.images, tx)
  await queueTranscoding(video.id, tx)
  afterCommit(tx, () => {
    // Without Redis the timer of the job comes later.
    makeUploadedFileTorrents
      .enqueue({})
      .catch(error => logger.warn('The torrent of an uploaded file is made later', { videoId: video.id, error }))
  })
  return video
}

function aspectRatio(video: VideoStream | null): number {
  return video ? video.width / video.height : 16 / 9
}
