import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { storageFolder, config } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import type { Brake } from '../media/pause-control.ts'
import { storyboard, tellingPictures } from '../media/images.ts'
import { probe, type Probe } from '../media/probe.ts'
import { hlsFolder, removeStored, store, temporaryPath } from '../storage/disk.ts'
import { pictureSize, setPictures, type Picture } from '../videos/video-images.ts'
import { Storyboard, Thumbnail } from '../videos/video-image.model.ts'
import type { Video } from '../videos/video.model.ts'
import { finishedRenditions } from './renditions.ts'
import { probeLimits } from './transcoding-settings.ts'

/** Gives a video the pictures its owner did not: a telling frame. A video without a picture is still a video, so it never throws. */
export async function makePictures(video: Video, input: string, source: Probe, signal: AbortSignal): Promise<void> {
  try {
    const known = new Set((await Thumbnail.findAll({ where: { videoId: video.id } })).map(one => one.kind))
    const missing = (['thumbnail', 'preview'] as const).filter(kind => !known.has(kind))
    if (missing.length === 0) return
    const pictures = await Promise.all(
      missing.map(async (kind): Promise<Picture> => ({
        kind,
        path: await temporaryPath(`${randomUUID()}.jpg`),
        ...pictureSize(kind),
        automatic: true
      }))
    )
    await tellingPictures(input, source, pictures, { signal, timeoutMs: config.upload.probe_timeout, folder: storageFolder('tmp') })
    await transaction(async transaction => await setPictures(video.id, pictures, transaction))
  } catch (error) {
    if (!signal.aborted) logger.warn('No picture could be taken from a video', { uuid: video.uuid, error })
  }
}

/** Makes the sheet of small frames for the seek bar of the smallest quality, which is decoded with the least work; never throws. */
export async function makeStoryboard(video: Video, { signal, brake }: { signal: AbortSignal; brake: Brake }): Promise<void> {
  if (!config.storyboards.enabled) return
  try {
    if ((await Storyboard.count({ where: { videoId: video.id } })) > 0) return
    const [smallest] = (await finishedRenditions(video.id)).filter(file => file.hasVideo).sort((a, b) => a.resolution - b.resolution)
    if (!smallest) return
    const file = join(hlsFolder(video.uuid), smallest.filename)
    const path = await temporaryPath(`${randomUUID()}.jpg`)
    const board = await storyboard(file, await probe(file, probeLimits()), path, { signal, brake, nice: config.transcoding.nice })
    if (!board) return
    const filename = `${randomUUID()}.jpg`
    await store(path, 'storyboards', filename)
    await transaction(async transaction => {
      const old = await Storyboard.findByPk(video.id, { transaction })
      await Storyboard.upsert({ videoId: video.id, filename, ...board }, { transaction })
      if (old) afterCommit(transaction, () => void removeStored('storyboards', [old.filename]))
    })
  } catch (error) {
    if (!signal.aborted) logger.warn('No storyboard could be made of a video', { uuid: video.uuid, error })
  }
}
