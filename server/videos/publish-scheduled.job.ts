import { Op } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { job } from '../core/job.ts'
import { federate } from './video.outbox.ts'
import { Video } from './video.model.ts'

/** Gives scheduled videos their privacy once their time has come. */
export const publishScheduled = job({
  name: 'publish-scheduled',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.schedule.check_interval,
  run: async () => {
    await transaction(async transaction => {
      const due = await Video.findAll({ where: { scheduleAt: { [Op.lte]: new Date() } }, transaction, lock: true, skipLocked: true })
      for (const video of due) {
        await video.update(
          { privacy: video.schedulePrivacy!, scheduleAt: null, schedulePrivacy: null, publishedAt: new Date() },
          { transaction }
        )
        await federate(video.id, transaction)
      }
    })
  }
})
