import { transaction } from '../core/transaction.ts'
import { federate } from '../videos/video.outbox.ts'
import { STATE, Video } from '../videos/video.model.ts'

/** Shows a video that can be played to those it is for, unless it was already. */
export async function publish(video: Pick<Video, 'id'>): Promise<void> {
  await transaction(async transaction => {
    const current = await Video.findByPk(video.id, { transaction, lock: true, rejectOnEmpty: true })
    if (current.state === STATE.PUBLISHED) return
    await current.update({ state: STATE.PUBLISHED, publishedAt: new Date() }, { transaction })
    await federate(video.id, transaction)
  })
}
