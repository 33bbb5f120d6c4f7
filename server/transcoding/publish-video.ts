import { transaction } from '../core/transaction.ts'
import { federateVideo } from '../videos/video.outbox.ts'
import { VIDEO_STATE, VideoModel } from '../videos/video.model.ts'

/** Shows a video that can be played to those it is for, unless it was already. */
export async function publishVideo(video: Pick<VideoModel, 'id'>): Promise<void> {
  await transaction(async transaction => {
    const current = await VideoModel.findByPk(video.id, { transaction, lock: true, rejectOnEmpty: true })
    if (current.state === VIDEO_STATE.PUBLISHED) return
    await current.update({ state: VIDEO_STATE.PUBLISHED, publishedAt: new Date() }, { transaction })
    await federateVideo(video.id, transaction)
  })
}
