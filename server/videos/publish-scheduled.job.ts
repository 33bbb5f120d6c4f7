import { Op } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { defineJob } from '../core/job.ts'
import { federateVideo } from './video.outbox.ts'
import { VideoModel } from './video.model.ts'

/** Publishes the scheduled videos that are due: sets their privacy and federates them. */
export const publishScheduledVideos = defineJob({
  name: 'publish-scheduled',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.schedule.check_interval,
  run: async () => {
    await transaction(async tx => {
      const due = await VideoModel.findAll({
        where: { scheduleAt: { [Op.lte]: new Date() } },
        transaction: tx,
        lock: true,
        skipLocked: true
      })
      for (const video of due) {
        await video.update(
          { privacy: video.schedulePrivacy!, scheduleAt: null, schedulePrivacy: null, publishedAt: new Date() },
          { transaction: tx }
        )
        await federateVideo(video.id, tx)
      }
    })
  }
})
