import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { lookAtCustomized } from '../core/customized.ts'
import { transaction } from '../core/transaction.ts'
import { emit } from '../core/events.ts'
import { job, type Run } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { run as runSql, sql } from '../core/sql.ts'
import { MediaError } from '../media/ffmpeg.ts'
import type { Probe } from '../media/probe.ts'
import { removeHls, removeStored, storedPath } from '../storage/disk.ts'
import { federate } from '../videos/federate.ts'
import { VideoSource } from '../videos/video-file.model.ts'
import { STATE, Video } from '../videos/video.model.ts'
import { encode } from './encode.ts'
import { takeWords } from './embedded.ts'
import { makePictures, makeStoryboard } from './illustrate.ts'
import { storeProgress } from './progress.ts'
import { completeRenditions, finishedRenditions } from './renditions.ts'
import { Transcoding } from './transcoding.model.ts'

/** The class of the advisory locks that keep an encoding to one worker; a worker that dies lets go of it at once. */
export const LOCK = 726_002

/** Encodes a video that its row says is to be encoded. A second job for the same video finds the lock held, or nothing to do. */
export const transcode = job({
  name: 'video-transcoding',
  queue: 'transcoding',
  payload: z.object({ videoId: z.int() }),
  run: async ({ videoId }, run) => {
    await transaction(async lock => {
      const [row] = await runSql<{ mine: boolean }>(sql`SELECT pg_try_advisory_xact_lock(${LOCK}, ${videoId}) AS mine`, lock)
      if (row!.mine) await work(videoId, run)
    })
  }
})

async function work(videoId: number, run: Run): Promise<void> {
  await lookAtCustomized()
  const transcoding = await Transcoding.findByPk(videoId)
  if (!transcoding || !['waiting', 'running'].includes(transcoding.state) || transcoding.notBefore.getTime() > Date.now()) return
  const video = await Video.findByPk(videoId, { rejectOnEmpty: true })
  await transcoding.update({ state: 'running' })
  try {
    const source = await VideoSource.findByPk(videoId)
    if (!source?.filename || !source.probe) throw new MediaError('unreadable', 'the uploaded file is gone')
    await encodeAll(video, source, run)
    await finish(video, source)
  } catch (error) {
    // Deleted in the middle: what was written since goes too.
    if (await Video.count({ where: { id: videoId } }) === 0) return await removeHls(video.uuid)
    if (run.signal.aborted) await Transcoding.update({ state: 'waiting' }, { where: { videoId } })
    else await fail(video, transcoding, error)
  }
}

async function encodeAll(video: Video, source: VideoSource, run: Run): Promise<void> {
  const input = storedPath('original_video_files', source.filename!)
  const probe = source.probe as Probe
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  run.signal.addEventListener('abort', stop)
  const pictures = makePictures(video, input, probe, controller.signal)
  let aside: Promise<unknown> | null = null
  let last = 0
  let announced = false
  try {
    await encode(input, video.uuid, video.id, probe, {
      signal: controller.signal,
      planned: async resolutions => { await Transcoding.update({ resolutions }, { where: { videoId: video.id } }) },
      playable: async () => {
        if (announced) return
        announced = true
        await pictures
        if (!video.waitTranscoding) await publish(video)
        aside = Promise.all([makeStoryboard(video, input, probe, controller.signal), takeWords(video, input, probe, controller.signal)])
      },
      progress: ({ percent, secondsLeft }) => {
        if (Date.now() - last < config.transcoding.progress_interval) return
        last = Date.now()
        storeProgress(video.id, { percent, secondsLeft })
        run.progress(percent)
        // Whoever deletes a video in the middle should not have it encoded to the end.
        void Video.count({ where: { id: video.id } }).then(count => { if (count === 0) stop() }, () => undefined)
      }
    })
    await pictures
    await aside
  } finally {
    run.signal.removeEventListener('abort', stop)
    // What an encoding that failed leaves undone the next attempt does.
    stop()
  }
  await completeRenditions({ videoId: video.id, uuid: video.uuid })
}

async function publish(video: Video): Promise<void> {
  const published = await transaction(async transaction => {
    const current = await Video.findByPk(video.id, { transaction, lock: true, rejectOnEmpty: true })
    if (current.state === STATE.PUBLISHED) return false
    await current.update({ state: STATE.PUBLISHED, publishedAt: new Date() }, { transaction })
    await federate(video.id, transaction)
    return true
  })
  if (published) emit('video.published', { videoId: video.id })
}

async function finish(video: Video, source: VideoSource): Promise<void> {
  await publish(video)
  const kept = config.transcoding.original_file.keep
  const filename = source.filename
  await transaction(async transaction => {
    await Transcoding.update({ state: 'done', error: null }, { where: { videoId: video.id }, transaction })
    if (!kept) await source.update({ filename: null }, { transaction })
    // Others know of the first rendition only; now there are all of them.
    await Video.update({ updatedAt: new Date() }, { where: { id: video.id }, transaction, silent: true })
    await federate(video.id, transaction)
  })
  if (!kept) await removeStored('original_video_files', [filename])
}

/** Trying again helps against a full disk or a killed process, not against a file that cannot be read. */
async function fail(video: Video, transcoding: Transcoding, error: unknown): Promise<void> {
  const attempts = transcoding.attempts + 1
  const hopeless = error instanceof MediaError && ['unreadable', 'no_streams', 'forbidden_container', 'nothing_decoded', 'too_long', 'too_large', 'too_many_streams'].includes(error.code)
  const again = !hopeless && attempts < config.transcoding.attempts
  const id = randomUUID()
  logger.error('An encoding failed', { id, uuid: video.uuid, attempts, again, error })
  const delay = config.transcoding.retry_delay * 2 ** (attempts - 1)
  const playable = (await finishedRenditions(video.id)).length > 0
  await transaction(async transaction => {
    await Transcoding.update({ state: again ? 'waiting' : 'failed', attempts, notBefore: new Date(Date.now() + delay), error: again ? null : reason(error, id) }, { where: { videoId: video.id }, transaction })
    if (!again && !playable) await Video.update({ state: STATE.TRANSCODING_FAILED }, { where: { id: video.id }, transaction })
  })
  // A little later than the row says, or the job would find it is too early.
  if (again) await transcode.enqueue({ videoId: video.id }, { delay: delay + 50 })
}

function reason(error: unknown, id: string): string {
  if (!(error instanceof MediaError)) return `Something went wrong on the server; the log has it as ${id}.`
  const words: Partial<Record<MediaError['code'], string>> = {
    unreadable: 'The file cannot be read as a video.', no_streams: 'The file has neither pictures nor sound.', nothing_decoded: 'Nothing in the file could be decoded.',
    forbidden_container: 'This kind of file is not accepted.', too_long: 'The video is too long for this instance.', too_large: 'The picture is too large for this instance.'
  }
  return words[error.code] ?? `The video could not be encoded; the log has it as ${id}.`
}
