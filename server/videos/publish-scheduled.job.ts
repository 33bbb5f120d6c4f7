import { Op } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { defineJob } from '../core/job.ts'
import { renameVideoFiles } from './rename-video-files.ts'
import { federateVideo } from './video.outbox.ts'
import { VideoModel } from './video.model.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

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
        const wasOpen = isPublicOrUnlisted(video.privacy)
        await video.update(
          { privacy: video.schedulePrivacy!, scheduleAt: null, schedulePrivacy: null, publishedAt: new Date() },
          { transaction: tx }
        )
        if (wasOpen && !isPublicOrUnlisted(video.privacy)) await renameVideoFiles(video, tx)
        await federateVideo(video.id, tx)
      }
    })
  }
})
