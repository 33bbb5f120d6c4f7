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

/** Says in the transaction that made a video that it has to be encoded; its job is queued after commit. */
export async function queueTranscoding(videoId: number, transaction: Transaction): Promise<void> {
  const source = await VideoSourceModel.findByPk(videoId, { transaction })
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
    { transaction }
  )
  afterCommit(transaction, () => wake(videoId))
}

/** Has an open encoding go before all others, or behind them. Throws 400 where there is none. */
export async function setTranscodingPriority(videoId: number, priority: TranscodingPriority): Promise<void> {
  const [count] = await TranscodingModel.update(
    { priority: priorityToNumber(priority) },
    { where: { videoId, state: ['waiting', 'running'] } }
  )
  if (count === 0) throw new Problem(400, null, 'This video is not being encoded.')
  wake(videoId)
  emitEvent('encodings.ordered', {})
}

/** Without Redis the row stays, and the reconciler looks later. */
function wake(videoId: number): void {
  transcodeVideos.enqueue({}).catch(error => logger.warn('A job could not be queued; the reconciler will', { videoId, error }))
}
