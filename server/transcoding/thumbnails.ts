import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { storageFolder, config } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import type { PauseControl } from '../media/pause-control.ts'
import { writeStoryboard, writeThumbnails } from '../media/images.ts'
import { probeMedia, type Probe } from '../media/probe.ts'
import { hlsFolder, removeStoredFiles, moveIntoStorage, temporaryPath } from '../storage/disk.ts'
import { videoImageSize, setVideoImages, type PreparedVideoImage } from '../videos/video-images.ts'
import { StoryboardModel, ThumbnailModel } from '../videos/video-image.model.ts'
import type { VideoModel } from '../videos/video.model.ts'
import { findFinishedRenditions } from './renditions.ts'
import { configuredProbeLimits } from './transcoding-settings.ts'

/** Gives a video the pictures its owner did not: a telling frame. A video without a picture is still a video, so it never throws. */
export async function generateThumbnails(video: VideoModel, input: string, source: Probe, signal: AbortSignal): Promise<void> {
  try {
    const known = new Set((await ThumbnailModel.findAll({ where: { videoId: video.id } })).map(one => one.kind))
    const missing = (['thumbnail', 'preview'] as const).filter(kind => !known.has(kind))
    if (missing.length === 0) return
    const pictures = await Promise.all(
      missing.map(async (kind): Promise<PreparedVideoImage> => ({
        kind,
        path: await temporaryPath(`${randomUUID()}.jpg`),
        ...videoImageSize(kind),
        automatic: true
      }))
    )
    await writeThumbnails(input, source, pictures, { signal, timeoutMs: config.upload.probe_timeout, folder: storageFolder('tmp') })
    await transaction(async transaction => await setVideoImages(video.id, pictures, transaction))
  } catch (error) {
    if (!signal.aborted) logger.warn('No picture could be taken from a video', { uuid: video.uuid, error })
  }
}

/** Makes the sheet of small frames for the seek bar of the smallest quality, which is decoded with the least work; never throws. */
export async function generateStoryboard(
  video: VideoModel,
  { signal, brake }: { signal: AbortSignal; brake: PauseControl }
): Promise<void> {
  if (!config.storyboards.enabled) return
  try {
    if ((await StoryboardModel.count({ where: { videoId: video.id } })) > 0) return
    const [smallest] = (await findFinishedRenditions(video.id)).filter(file => file.hasVideo).sort((a, b) => a.resolution - b.resolution)
    if (!smallest) return
    const file = join(hlsFolder(video.uuid), smallest.filename)
    const path = await temporaryPath(`${randomUUID()}.jpg`)
    const board = await writeStoryboard(file, await probeMedia(file, configuredProbeLimits()), path, {
      signal,
      brake,
      nice: config.transcoding.nice
    })
    if (!board) return
    const filename = `${randomUUID()}.jpg`
    await moveIntoStorage(path, 'storyboards', filename)
    await transaction(async transaction => {
      const old = await StoryboardModel.findByPk(video.id, { transaction })
      await StoryboardModel.upsert({ videoId: video.id, filename, ...board }, { transaction })
      if (old) afterCommit(transaction, () => void removeStoredFiles('storyboards', [old.filename]))
    })
  } catch (error) {
    if (!signal.aborted) logger.warn('No storyboard could be made of a video', { uuid: video.uuid, error })
  }
}
