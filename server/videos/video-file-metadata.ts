import { join } from 'node:path'
import { Op } from 'sequelize'
import { config } from '../core/config.ts'
import { notFound } from '../core/problem.ts'
import { readFfprobeDescription } from '../media/ffprobe-description.ts'
import { hlsFolder, storedFileSize } from '../storage/disk.ts'
import type { VideoAccessInfo } from './video-access.ts'
import { StreamingPlaylistModel, VideoFileModel } from './video-file.model.ts'

/**
 * Returns the ffprobe output of a finished file of a local video, by the id that the API has of it; of a rendition as one MP4 with the
 * streams of its audio. Throws 404.
 */
export async function readVideoFileMetadata(video: Pick<VideoAccessInfo, 'id' | 'uuid'>, fileId: number): Promise<Record<string, unknown>> {
  const playlist = await StreamingPlaylistModel.findOne({ where: { videoId: video.id }, rejectOnEmpty: notFound('Video file') })
  const finished = { streamingPlaylistId: playlist.id, growing: false }
  const file = await VideoFileModel.findOne({
    where: {
      ...finished,
      [Op.or]: [
        { id: fileId, hls: true },
        { webVideoId: fileId, webVideo: true, hasVideo: true }
      ]
    },
    rejectOnEmpty: notFound('Video file')
  })
  const metadata = await readStoredMetadata(video, file)
  if (file.id === fileId || file.hasAudio) return metadata
  const audios = await VideoFileModel.findAll({ where: { ...finished, hasVideo: false }, order: ['track'] })
  const streams = [metadata, ...(await Promise.all(audios.map(async audio => await readStoredMetadata(video, audio))))].flatMap(
    ({ streams }) => (Array.isArray(streams) ? (streams as object[]) : [])
  )
  return { ...metadata, streams: streams.map((stream, index) => ({ ...stream, index })) }
}

/** Read with ffprobe at the first request, which is rare, so that the encoding does not take longer. */
async function readStoredMetadata(video: Pick<VideoAccessInfo, 'uuid'>, file: VideoFileModel): Promise<Record<string, unknown>> {
  if (!file.metadata) {
    const path = join(hlsFolder(video.uuid), file.filename)
    const { raw: metadata } = await readFfprobeDescription(path, { timeoutMs: config.upload.probe_timeout }).catch(
      async (error: unknown) => {
        // What is in the database and not on the disk was lost by a restore, or is being removed.
        throw (await storedFileSize(path)) === 0 ? notFound('Video file') : error
      }
    )
    await file.update({ metadata }, { silent: true })
  }
  return file.metadata as Record<string, unknown>
}
