import { transaction } from '../core/transaction.ts'
import { federateVideo } from '../videos/video.outbox.ts'
import { VIDEO_STATE, VideoModel } from '../videos/video.model.ts'

/** Publishes a playable video and federates it, unless it is published already. */
export async function publishVideo(video: Pick<VideoModel, 'id'>): Promise<void> {
  await transaction(async tx => {
    const current = await VideoModel.findByPk(video.id, { transaction: tx, lock: true, rejectOnEmpty: true })
    if (current.state === VIDEO_STATE.PUBLISHED) return
    await current.update({ state: VIDEO_STATE.PUBLISHED, publishedAt: new Date() }, { transaction: tx })
    await federateVideo(video.id, tx)
  })
}
