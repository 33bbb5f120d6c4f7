import type { Transaction } from 'sequelize'
import { afterCommit } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import { transcode } from './transcode.job.ts'
import { Transcoding } from './transcoding.model.ts'

/** Says in the transaction that made a video that it has to be encoded; its job is queued after commit. */
export async function queueTranscoding(videoId: number, transaction: Transaction): Promise<void> {
  await Transcoding.upsert({ videoId, state: 'waiting', attempts: 0, notBefore: new Date(), error: null, resolutions: [] }, { transaction })
  afterCommit(transaction, () => {
    // Without Redis the row stays, and the reconciler queues it later.
    transcode.enqueue({ videoId }).catch(error => logger.warn('A job could not be queued; the reconciler will', { videoId, error }))
  })
}
