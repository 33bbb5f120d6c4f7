import { Op } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { job } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { discardUpload } from './discard-upload.ts'
import { Upload } from './upload.model.ts'

/** Removes uploads that got no piece for `upload.expiration`. */
export const sweepUploads = job({
  name: 'sweep-uploads',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.upload.sweep_interval,
  run: async () => {
    const expired = await Upload.findAll({ where: { expiresAt: { [Op.lt]: new Date() } } })
    for (const row of expired) await discardUpload(row)
    if (expired.length > 0) logger.info('Swept abandoned uploads', { count: expired.length })
  }
})
