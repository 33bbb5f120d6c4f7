import { randomUUID } from 'node:crypto'
import { storageFolder, config } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import type { Brake } from '../media/brake.ts'
import { frameAt, pickThumbnailSecond, storyboard } from '../media/images.ts'
import type { Probe } from '../media/probe.ts'
import { removeStored, store, temporaryPath } from '../storage/disk.ts'
import { pictureSize, setPictures, type Picture } from '../videos/pictures.ts'
import { Storyboard, Thumbnail } from '../videos/video-image.model.ts'
import type { Video } from '../videos/video.model.ts'

/** Gives a video the pictures its owner did not: a telling frame. A video without a picture is still a video, so it never throws. */
export async function makePictures(video: Video, input: string, probe: Probe, signal: AbortSignal): Promise<void> {
  try {
    const known = new Set((await Thumbnail.findAll({ where: { videoId: video.id } })).map(one => one.kind))
    const missing = (['thumbnail', 'preview'] as const).filter(kind => !known.has(kind))
    if (missing.length === 0) return
    await temporaryPath('')
    const options = { signal, timeoutMs: config.upload.probe_timeout }
    const second = await pickThumbnailSecond(input, probe, { ...options, folder: storageFolder('tmp') })
    const pictures: Picture[] = []
    for (const kind of missing) {
      const path = await temporaryPath(`${randomUUID()}.jpg`)
      await frameAt(input, probe, second, path, pictureSize(kind), options)
      pictures.push({ kind, path, ...pictureSize(kind), automatic: true })
    }
    await transaction(async transaction => await setPictures(video.id, pictures, transaction))
  } catch (error) {
    if (!signal.aborted) logger.warn('No picture could be taken from a video', { uuid: video.uuid, error })
  }
}

/** Makes the sheet of small frames for the seek bar; never throws. */
export async function makeStoryboard(video: Video, input: string, probe: Probe, { signal, brake }: { signal: AbortSignal, brake: Brake }): Promise<void> {
  if (!config.storyboards.enabled) return
  try {
    if (await Storyboard.count({ where: { videoId: video.id } }) > 0) return
    const path = await temporaryPath(`${randomUUID()}.jpg`)
    const board = await storyboard(input, probe, path, { signal, brake, nice: config.transcoding.nice })
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
