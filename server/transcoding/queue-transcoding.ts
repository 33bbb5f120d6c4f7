import type { Transaction } from 'sequelize'
import type { TranscodingPriority } from '../../shared/transcoding.ts'
import { emitEvent } from '../core/events.ts'
import { afterCommit } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { encodingCost } from '../media/encoding-cost.ts'
import type { Probe } from '../media/probe.ts'
import { VideoSourceModel } from '../videos/video-file.model.ts'
import { planTranscoding } from './transcoding-settings.ts'
import { transcodeVideos } from './transcode-videos.job.ts'
import { priorityToNumber, TranscodingModel } from './transcoding.model.ts'

/** Queues the encoding of a video within a transaction; the job is enqueued after commit. */
export async function queueTranscoding(videoId: number, tx: Transaction): Promise<void> {
  const source = await VideoSourceModel.findByPk(videoId, { transaction: tx })
  const probe = source?.probe as Probe | null | undefined
  await TranscodingModel.upsert(
    {
      videoId,
      state: 'waiting',
      attempts: 0,
      notBefore: new Date(),
      error: null,
      resolutions: [],
      cost: probe ? encodingCost(planTranscoding(probe), probe) : 0,
      priority: 0,
      spent: 0
    },
    { transaction: tx }
  )
  afterCommit(tx, () => enqueueJob(videoId))
}

/** Puts an open encoding before or behind all others, or back to normal. Throws 400 if there is none. */
export async function setTranscodingPriority(videoId: number, priority: TranscodingPriority): Promise<void> {
  const [count] = await TranscodingModel.update(
    { priority: priorityToNumber(priority) },
    { where: { videoId, state: ['waiting', 'running'] } }
  )
  if (count === 0) throw new Problem(400, null, 'This video is not being encoded.')
  enqueueJob(videoId)
  emitEvent('encodings.ordered', {})
}

/** Without Redis the row stays, and the reconciler enqueues the job later. */
function enqueueJob(videoId: number): void {
  transcodeVideos.enqueue({}).catch(error => logger.warn('A job could not be queued; the reconciler will', { videoId, error }))
}
