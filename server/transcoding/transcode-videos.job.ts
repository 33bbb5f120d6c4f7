import { randomUUID } from 'node:crypto'
import { access } from 'node:fs/promises'
import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { refreshAdminOverrides } from '../core/admin-overrides.ts'
import { transaction } from '../core/transaction.ts'
import { readFromQueue, defineJob, type JobContext } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery as runSql, sql } from '../core/sql.ts'
import type { PauseControl } from '../media/pause-control.ts'
import { MediaError } from '../media/ffmpeg.ts'
import type { Probe } from '../media/probe.ts'
import { removeHlsFolder, removeStoredFiles, storedFilePath } from '../storage/disk.ts'
import { federateVideo } from '../videos/video.outbox.ts'
import { VideoSourceModel } from '../videos/video-file.model.ts'
import { VIDEO_STATE, VideoModel } from '../videos/video.model.ts'
import { encodeRenditions } from './encode-renditions.ts'
import { importEmbeddedCaptionsAndChapters } from './embedded.ts'
import { generateThumbnails, generateStoryboard } from './thumbnails.ts'
import { storeEncodingProgress } from './encoding-progress.ts'
import { publishVideo } from './publish-video.ts'
import { completeRenditions, findFinishedRenditions } from './renditions.ts'
import { transcodingRetryDelay } from './transcoding-settings.ts'
import { finishIncompleteTranscoding } from './finish-incomplete.ts'
import { releaseTranscoding, applyTranscodingPriorities, claimNextTranscoding } from './scheduler.ts'
import { TranscodingModel } from './transcoding.model.ts'

/**
 * Encodes, one after the other, what the rows say is to be done: those with the best claims (scheduler.ts). It is enqueued whenever there
 * may
 * be something new to do.
 */
export const transcodeVideos = defineJob({
  name: 'video-transcoding',
  queue: 'transcoding',
  payload: z.object({}),
  run: async (_, run): Promise<void> => {
    await applyTranscodingPriorities()
    while (!run.signal.aborted && (await next(run))) {
      // Whoever halts all jobs does not want another to begin; this one stands for those that are left.
      if (await readFromQueue('transcoding', async opened => await opened.isPaused(), false)) return await again()
    }
  }
})

async function again(): Promise<void> {
  await transcodeVideos.enqueue({})
}

async function next(run: JobContext): Promise<boolean> {
  return await transaction(async lock => {
    const taken = await claimNextTranscoding(lock)
    if (!taken) return false
    try {
      await work(taken.videoId, { brake: taken.brake, lock, run })
    } finally {
      await releaseTranscoding(taken.videoId)
    }
    return true
  })
}

/** Why an encoding was stopped: this process ends, the lock on it is lost, or its row says something else now. */
type Stopped = 'process' | 'lock' | 'row'
type Hold = { brake: PauseControl; lock: Transaction; run: JobContext }

async function work(videoId: number, { brake, lock, run }: Hold): Promise<void> {
  await refreshAdminOverrides()
  const transcoding = await TranscodingModel.findByPk(videoId, { rejectOnEmpty: true })
  const video = await VideoModel.findByPk(videoId, { rejectOnEmpty: true })
  const [open] = await TranscodingModel.update({ state: 'running' }, { where: { videoId, state: ['waiting', 'running'] } })
  if (open === 0) return
  const controller = new AbortController()
  const stop = (why: Stopped): void => controller.abort(why)
  const ending = (): void => stop('process')
  run.signal.addEventListener('abort', ending)
  const looking = setInterval(() => {
    stateOf(videoId, lock).then(
      state => {
        if (state !== 'running') stop('row')
      },
      () => stop('lock')
    )
  }, config.transcoding.progress_interval)
  const began = performance.now() - brake.heldFor
  try {
    const source = await VideoSourceModel.findByPk(videoId)
    if (!source?.filename || !source.probe) throw new MediaError('unreadable', 'the uploaded file is gone')
    // The disk may come back that it lies on.
    if (!(await isThere(storedFilePath('original_video_files', source.filename))))
      throw new MediaError('missing', 'the uploaded file is not there')
    await encodeAll(video, source, { brake, run, stopped: controller.signal })
    await finish(video, source, (performance.now() - brake.heldFor - began) / 1000)
  } catch (error) {
    clearInterval(looking)
    // Deleted in the middle: what was written since goes too.
    if ((await VideoModel.count({ where: { id: videoId } })) === 0) return await removeHlsFolder(video.uuid)
    if (!controller.signal.aborted) await fail(video, transcoding, error)
    else if (controller.signal.reason === 'row') await finishIncompleteTranscoding(video)
    else await TranscodingModel.update({ state: 'waiting' }, { where: { videoId, state: 'running' } })
  } finally {
    clearInterval(looking)
    run.signal.removeEventListener('abort', ending)
  }
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}

/** What the row says now, asked over the connection that holds the lock: where that is gone another worker may have begun. */
async function stateOf(videoId: number, lock: Transaction): Promise<string | undefined> {
  return (await runSql<{ state: string }>(sql`SELECT state FROM transcodings WHERE video_id = ${videoId}`, lock))[0]?.state
}

async function encodeAll(
  video: VideoModel,
  source: VideoSourceModel,
  { brake, run, stopped }: { brake: PauseControl; run: JobContext; stopped: AbortSignal }
): Promise<void> {
  const input = storedFilePath('original_video_files', source.filename!)
  const probe = source.probe as Probe
  const failed = new AbortController()
  const signal = AbortSignal.any([stopped, failed.signal])
  const pictures = generateThumbnails(video, input, probe, signal)
  let aside: Promise<unknown> | null = null
  let last = 0
  const announce = async (): Promise<void> => {
    await applyTranscodingPriorities()
    // Another that waits may have a better claim now than what is left of this.
    again().catch(() => {
      /* the reconciler does it later */
    })
    await pictures
    if (!video.waitTranscoding) await publishVideo(video)
    await importEmbeddedCaptionsAndChapters(video, input, probe, { signal, brake })
  }
  try {
    await encodeRenditions(input, video.uuid, video.id, probe, {
      signal,
      brake,
      planned: async resolutions => {
        await TranscodingModel.update({ resolutions }, { where: { videoId: video.id } })
      },
      playable: () => {
        aside ??= announce()
        // Looked at when all is encoded; nobody waits for it until then.
        aside.catch(() => undefined)
      },
      progress: ({ percent, secondsLeft }) => {
        if (Date.now() - last < config.transcoding.progress_interval) return
        last = Date.now()
        storeEncodingProgress(video.id, { percent, secondsLeft })
        run.progress(percent)
      }
    })
    await pictures
    await aside
  } finally {
    // What an encoding that failed leaves undone the next attempt does.
    failed.abort()
    await Promise.allSettled([aside])
  }
  await completeRenditions({ videoId: video.id, uuid: video.uuid })
  await generateStoryboard(video, { signal: stopped, brake })
}

async function finish(video: VideoModel, source: VideoSourceModel, spent: number): Promise<void> {
  await publishVideo(video)
  const kept = config.transcoding.original_file.keep
  const filename = source.filename
  const asked = await transaction(async transaction => {
    // Stopped or asked for anew at the last moment: what was uploaded is still needed.
    const [count] = await TranscodingModel.update(
      { state: 'done', error: null, spent },
      { where: { videoId: video.id, state: 'running' }, transaction }
    )
    if (count === 0) return false
    if (!kept) await source.update({ filename: null }, { transaction })
    // Others know of the first rendition only; now there are all of them.
    await VideoModel.update({ updatedAt: new Date() }, { where: { id: video.id }, transaction, silent: true })
    await federateVideo(video.id, transaction)
    return true
  })
  if (asked && !kept) await removeStoredFiles('original_video_files', [filename])
}

/**
 * Trying again helps against a killed process, not against a file that cannot be read; with a full disk it goes on as soon as there is
 * space, however long that takes.
 */
async function fail(video: VideoModel, transcoding: TranscodingModel, error: unknown): Promise<void> {
  const full = isDiskFull(error)
  const attempts = transcoding.attempts + (full ? 0 : 1)
  const hopeless =
    error instanceof MediaError &&
    ['unreadable', 'no_streams', 'forbidden_container', 'nothing_decoded', 'too_long', 'too_large', 'too_many_streams'].includes(error.code)
  const again = full || (!hopeless && attempts < config.transcoding.attempts)
  const id = randomUUID()
  logger.error('An encoding failed', { id, uuid: video.uuid, attempts, again, error })
  const delay = transcodingRetryDelay(attempts, full)
  const playable = (await findFinishedRenditions(video.id)).length > 0
  await transaction(async transaction => {
    const told = full ? 'The disk of the server is full; the encoding goes on when there is space.' : again ? null : reason(error, id)
    await TranscodingModel.update(
      { state: again ? 'waiting' : 'failed', attempts, notBefore: new Date(Date.now() + delay), error: told },
      { where: { videoId: video.id }, transaction }
    )
    if (!again && !playable) await VideoModel.update({ state: VIDEO_STATE.TRANSCODING_FAILED }, { where: { id: video.id }, transaction })
  })
  // A little later than the row says, or the job would find it is too early.
  if (again) await transcodeVideos.enqueue({}, { delay: delay + 50 })
  else await finishIncompleteTranscoding(video)
}

/** Told by ffmpeg, or by a write of our own. */
function isDiskFull(error: unknown): boolean {
  return error instanceof MediaError
    ? error.code === 'disk_full'
    : ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function reason(error: unknown, id: string): string {
  if (!(error instanceof MediaError)) return `Something went wrong on the server; the log has it as ${id}.`
  const words: Partial<Record<MediaError['code'], string>> = {
    missing: 'The uploaded file is not there any more.',
    unreadable: 'The file cannot be read as a video.',
    no_streams: 'The file has neither pictures nor sound.',
    nothing_decoded: 'Nothing in the file could be decoded.',
    forbidden_container: 'This kind of file is not accepted.',
    too_long: 'The video is too long for this instance.',
    too_large: 'The picture is too large for this instance.'
  }
  return words[error.code] ?? `The video could not be encoded; the log has it as ${id}.`
}
