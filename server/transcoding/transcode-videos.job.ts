import { randomUUID } from 'node:crypto'
import { access } from 'node:fs/promises'
import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { refreshAdminOverrides } from '../core/admin-overrides.ts'
import { transaction } from '../core/transaction.ts'
import { isDiskFullError } from '../core/disk-space.ts'
import { readFromQueue, defineJob, type JobContext } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import type { PauseControl } from '../media/pause-control.ts'
import { MediaError, type MediaErrorCode } from '../media/ffmpeg.ts'
import type { Probe } from '../media/probe.ts'
import { removeHlsFolder, removeStoredFiles, storedFilePath } from '../storage/disk.ts'
import { federateVideo } from '../videos/video.outbox.ts'
import { VideoSourceModel } from '../videos/video-file.model.ts'
import { makeMissingTorrents } from '../videos/torrents.ts'
import { discardUploadedFileTorrent } from '../videos/uploaded-file-torrents.ts'
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
 * Runs the open encodings one after the other, in the order of the queue (scheduler.ts). It is enqueued whenever there may be a new one.
 */
export const transcodeVideos = defineJob({
  name: 'video-transcoding',
  queue: 'transcoding',
  payload: z.object({}),
  run: async (_, context): Promise<void> => {
    await applyTranscodingPriorities()
    while (!context.signal.aborted && (await transcodeNext(context))) {
      // While all jobs are paused, no further encoding may start; the enqueued job stands for those that are left.
      if (await readFromQueue('transcoding', async queue => await queue.isPaused(), false)) return await enqueueAgain()
    }
  }
})

async function enqueueAgain(): Promise<void> {
  await transcodeVideos.enqueue({})
}

async function transcodeNext(context: JobContext): Promise<boolean> {
  return await transaction(async tx => {
    const claimed = await claimNextTranscoding(tx)
    if (!claimed) return false
    try {
      await transcodeVideo(claimed.videoId, { pauseControl: claimed.pauseControl, tx, context })
    } finally {
      await releaseTranscoding(claimed.videoId)
    }
    return true
  })
}

/** Why an encoding was stopped: this process shuts down, the lock is lost, or the state of the row has changed. */
type StopReason = 'process' | 'lock' | 'row'
type ClaimedTranscoding = { pauseControl: PauseControl; tx: Transaction; context: JobContext }

async function transcodeVideo(videoId: number, { pauseControl, tx, context }: ClaimedTranscoding): Promise<void> {
  await refreshAdminOverrides()
  const transcoding = await TranscodingModel.findByPk(videoId, { rejectOnEmpty: true })
  const video = await VideoModel.findByPk(videoId, { rejectOnEmpty: true })
  const [updated] = await TranscodingModel.update({ state: 'running' }, { where: { videoId, state: ['waiting', 'running'] } })
  if (updated === 0) return
  const stopController = new AbortController()
  const stop = (reason: StopReason): void => stopController.abort(reason)
  const onProcessEnd = (): void => stop('process')
  context.signal.addEventListener('abort', onProcessEnd)
  const stateTimer = setInterval(() => {
    readState(videoId, tx).then(
      state => {
        if (state !== 'running') stop('row')
      },
      () => stop('lock')
    )
  }, config.transcoding.progress_interval)
  const startedAt = performance.now() - pauseControl.pausedMs
  try {
    const source = await VideoSourceModel.findByPk(videoId)
    if (!source?.filename || !source.probe) throw new MediaError('unreadable', 'the uploaded file is gone')
    // Retried, since its disk may be mounted again later.
    if (!(await fileExists(storedFilePath('original_video_files', source.filename))))
      throw new MediaError('missing', 'the uploaded file is not there')
    await encodeVideo(video, source, { pauseControl, context, stopped: stopController.signal })
    await finishTranscoding(video, source, (performance.now() - pauseControl.pausedMs - startedAt) / 1000)
  } catch (error) {
    clearInterval(stateTimer)
    // Deleted meanwhile: the files written since are deleted too.
    if ((await VideoModel.count({ where: { id: videoId } })) === 0) return await removeHlsFolder(video.uuid)
    if (!stopController.signal.aborted) await handleFailure(video, transcoding, error)
    else if (stopController.signal.reason === 'row') await finishIncompleteTranscoding(video)
    else await TranscodingModel.update({ state: 'waiting' }, { where: { videoId, state: 'running' } })
  } finally {
    clearInterval(stateTimer)
    context.signal.removeEventListener('abort', onProcessEnd)
  }
}

async function fileExists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false
  )
}

/** Reads the state over the connection that holds the lock: if that is lost, another worker may have started. */
async function readState(videoId: number, tx: Transaction): Promise<string | undefined> {
  return (await runQuery<{ state: string }>(sql`SELECT state FROM transcodings WHERE video_id = ${videoId}`, tx))[0]?.state
}

async function encodeVideo(
  video: VideoModel,
  source: VideoSourceModel,
  { pauseControl, context, stopped }: { pauseControl: PauseControl; context: JobContext; stopped: AbortSignal }
): Promise<void> {
  const input = storedFilePath('original_video_files', source.filename!)
  const probe = source.probe as Probe
  const failureAbort = new AbortController()
  const signal = AbortSignal.any([stopped, failureAbort.signal])
  const thumbnails = generateThumbnails(video, input, probe, signal)
  let earlyPublication: Promise<unknown> | null = null
  let lastReportAt = 0
  const publishEarly = async (): Promise<void> => {
    await applyTranscodingPriorities()
    // A waiting encoding may now come before the rest of this one.
    enqueueAgain().catch(() => {
      /* the reconciler does it later */
    })
    await thumbnails
    if (!video.waitTranscoding) await publishVideo(video)
    await importEmbeddedCaptionsAndChapters(video, input, probe, { signal, pauseControl })
  }
  try {
    await encodeRenditions(input, video.uuid, video.id, probe, {
      signal,
      pauseControl,
      onPlanned: async resolutions => {
        await TranscodingModel.update({ resolutions }, { where: { videoId: video.id } })
      },
      onPlayable: () => {
        earlyPublication ??= publishEarly()
        // Awaited when everything is encoded; until then a rejection must not count as unhandled.
        earlyPublication.catch(() => undefined)
      },
      onProgress: ({ percent, secondsLeft }) => {
        if (Date.now() - lastReportAt < config.transcoding.progress_interval) return
        lastReportAt = Date.now()
        storeEncodingProgress(video.id, { percent, secondsLeft })
        context.progress(percent)
      }
    })
    await thumbnails
    await earlyPublication
  } finally {
    // After a failure the next attempt does the remaining work.
    failureAbort.abort()
    await Promise.allSettled([earlyPublication])
  }
  await completeRenditions({ videoId: video.id, uuid: video.uuid })
  // Here and not by their own job, so that followers get one Update with everything.
  await makeMissingTorrents(video.id, { owesUpdate: false, signal: stopped })
  await generateStoryboard(video, { signal: stopped, pauseControl })
}

async function finishTranscoding(video: VideoModel, source: VideoSourceModel, spent: number): Promise<void> {
  await publishVideo(video)
  const keepOriginal = config.transcoding.original_file.keep
  const filename = source.filename
  const isCurrent = await transaction(async tx => {
    // Stopped or queued again at the last moment: the uploaded file is still needed.
    const [count] = await TranscodingModel.update(
      { state: 'done', error: null, spent },
      { where: { videoId: video.id, state: 'running' }, transaction: tx }
    )
    if (count === 0) return false
    if (!keepOriginal) await source.update({ filename: null }, { transaction: tx })
    await discardUploadedFileTorrent(video.id, tx)
    // Other servers know only the first rendition.
    await VideoModel.update({ updatedAt: new Date() }, { where: { id: video.id }, transaction: tx, silent: true })
    await federateVideo(video.id, tx)
    return true
  })
  if (isCurrent && !keepOriginal) await removeStoredFiles('original_video_files', [filename])
}

/** Errors that the file itself is the cause of. */
const PERMANENT_ERRORS: MediaErrorCode[] = [
  'unreadable',
  'no_streams',
  'undecodable',
  'forbidden_container',
  'nothing_decoded',
  'too_long',
  'too_large',
  'too_many_streams',
  'broken_times'
]

/**
 * Schedules another attempt, or fails the encoding if the file itself is the cause or too many attempts failed. A full disk is retried
 * without limit.
 */
async function handleFailure(video: VideoModel, transcoding: TranscodingModel, error: unknown): Promise<void> {
  const diskFull = isDiskFullError(error)
  const attempts = transcoding.attempts + (diskFull ? 0 : 1)
  const isPermanent = error instanceof MediaError && PERMANENT_ERRORS.includes(error.code)
  const willRetry = diskFull || (!isPermanent && attempts < config.transcoding.attempts)
  const id = randomUUID()
  logger.error('An encoding failed', { id, uuid: video.uuid, attempts, again: willRetry, error })
  const delay = transcodingRetryDelay(attempts, diskFull)
  const playable = (await findFinishedRenditions(video.id)).length > 0
  await transaction(async tx => {
    const message = diskFull
      ? 'The disk of the server is full; the encoding goes on when there is space.'
      : willRetry
        ? null
        : failureMessage(error, id)
    await TranscodingModel.update(
      { state: willRetry ? 'waiting' : 'failed', attempts, notBefore: new Date(Date.now() + delay), error: message },
      { where: { videoId: video.id }, transaction: tx }
    )
    if (!willRetry && !playable)
      await VideoModel.update({ state: VIDEO_STATE.TRANSCODING_FAILED }, { where: { id: video.id }, transaction: tx })
  })
  // A little later than `not_before`, or the job would run too early.
  if (willRetry) await transcodeVideos.enqueue({}, { delay: delay + 50 })
  else await finishIncompleteTranscoding(video)
}

function failureMessage(error: unknown, id: string): string {
  if (!(error instanceof MediaError)) return `Something went wrong on the server; the log has it as ${id}.`
  const messages: Partial<Record<MediaError['code'], string>> = {
    missing: 'The uploaded file is not there any more.',
    unreadable: 'The file cannot be read as a video.',
    no_streams: 'The file has neither pictures nor sound.',
    nothing_decoded: 'Nothing in the file could be decoded.',
    forbidden_container: 'This kind of file is not accepted.',
    too_long: 'The video is too long for this instance.',
    too_large: 'The picture is too large for this instance.'
  }
  return messages[error.code] ?? `The video could not be encoded; the log has it as ${id}.`
}
