import type { Transaction } from 'sequelize'
import type { Priority } from '../../shared/transcoding.ts'
import { emit } from '../core/events.ts'
import { afterCommit } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { costOf } from '../media/encoding-cost.ts'
import type { Probe } from '../media/probe.ts'
import { VideoSource } from '../videos/video-file.model.ts'
import { planFor } from './transcoding-settings.ts'
import { transcode } from './transcode-videos.job.ts'
import { priorityNumber, Transcoding } from './transcoding.model.ts'

/** Says in the transaction that made a video that it has to be encoded; its job is queued after commit. */
export async function queueTranscoding(videoId: number, transaction: Transaction): Promise<void> {
  const source = await VideoSource.findByPk(videoId, { transaction })
  const probe = source?.probe as Probe | null | undefined
  await Transcoding.upsert(
    {
      videoId,
      state: 'waiting',
      attempts: 0,
      notBefore: new Date(),
      error: null,
      resolutions: [],
      cost: probe ? costOf(planFor(probe), probe) : 0,
      priority: 0,
      spent: 0
    },
    { transaction }
  )
  afterCommit(transaction, () => wake(videoId))
}

/** Has an open encoding go before all others, or behind them. Throws 400 where there is none. */
export async function prioritize(videoId: number, priority: Priority): Promise<void> {
  const [count] = await Transcoding.update({ priority: priorityNumber(priority) }, { where: { videoId, state: ['waiting', 'running'] } })
  if (count === 0) throw new Problem(400, null, 'This video is not being encoded.')
  wake(videoId)
  emit('encodings.ordered', {})
}

/** Without Redis the row stays, and the reconciler looks later. */
function wake(videoId: number): void {
  transcode.enqueue({}).catch(error => logger.warn('A job could not be queued; the reconciler will', { videoId, error }))
}
