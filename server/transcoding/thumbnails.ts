import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
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

/** Generates the thumbnail and preview that the owner did not upload from a representative frame. They are optional, so it never throws. */
export async function generateThumbnails(video: VideoModel, input: string, source: Probe, signal: AbortSignal): Promise<void> {
  const temporaryPaths: string[] = []
  try {
    const existingKinds = new Set((await ThumbnailModel.findAll({ where: { videoId: video.id } })).map(thumbnail => thumbnail.kind))
    const missing = (['thumbnail', 'preview'] as const).filter(kind => !existingKinds.has(kind))
    if (missing.length === 0) return
    const images = await Promise.all(
      missing.map(async (kind): Promise<PreparedVideoImage> => ({
        kind,
        path: await temporaryPath(`${randomUUID()}.jpg`),
        ...videoImageSize(kind),
        automatic: true
      }))
    )
    temporaryPaths.push(...images.map(({ path }) => path))
    await writeThumbnails(input, source, images, { signal, timeoutMs: config.upload.probe_timeout, folder: storageFolder('tmp') })
    await transaction(async tx => await setVideoImages(video.id, images, tx))
  } catch (error) {
    if (!signal.aborted) logger.warn('No picture could be taken from a video', { uuid: video.uuid, error })
  } finally {
    // The video may be gone.
    for (const path of temporaryPaths) await rm(path, { force: true })
  }
}

/** Generates the storyboard for the seek bar from the smallest rendition, which is the cheapest to decode; never throws. */
export async function generateStoryboard(
  video: VideoModel,
  { signal, pauseControl }: { signal: AbortSignal; pauseControl: PauseControl }
): Promise<void> {
  if (!config.storyboards.enabled) return
  let path: string | null = null
  try {
    if ((await StoryboardModel.count({ where: { videoId: video.id } })) > 0) return
    const [smallest] = (await findFinishedRenditions(video.id)).filter(file => file.hasVideo).sort((a, b) => a.resolution - b.resolution)
    if (!smallest) return
    const file = join(hlsFolder(video.uuid), smallest.filename)
    path = await temporaryPath(`${randomUUID()}.jpg`)
    const layout = await writeStoryboard(file, await probeMedia(file, configuredProbeLimits()), path, {
      signal,
      pauseControl,
      nice: config.transcoding.nice
    })
    if (!layout) return
    const filename = `${randomUUID()}.jpg`
    await moveIntoStorage(path, 'storyboards', filename)
    await transaction(async tx => {
      const previous = await StoryboardModel.findByPk(video.id, { transaction: tx })
      await StoryboardModel.upsert({ videoId: video.id, filename, ...layout }, { transaction: tx })
      if (previous) afterCommit(tx, () => void removeStoredFiles('storyboards', [previous.filename]))
    })
  } catch (error) {
    if (!signal.aborted) logger.warn('No storyboard could be made of a video', { uuid: video.uuid, error })
  } finally {
    if (path) await rm(path, { force: true })
  }
}
