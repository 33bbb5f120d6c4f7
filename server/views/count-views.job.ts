import { z } from 'zod'
import { config } from '../core/config.ts'
import { job } from '../core/job.ts'
import { countViews, forgetMarks } from './count-views.ts'
import { tellAudiences, tellOrigins, tellWatch } from './view.outbox.ts'
import { audiences } from './viewer-presence.ts'
import { endedSessions, takeViews, type Session } from './watch-sessions.ts'
import { keepWatch, watchOf } from './watch-records.ts'

/** Counts what was viewed here since the last time, tells others of it and of who watches, and writes down what was watched. */
export const countNewViews = job({
  name: 'count-views',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.views.videos.local_buffer_update_interval,
  run: async () => {
    await takeViews(async views => await countViews(views, tellOrigins))
    await tellAudiences(await audiences())
    let ended: Session[]
    do {
      ended = await endedSessions()
      for (const session of ended) await writeDown(session)
    } while (ended.length > 0)
  }
})

/** Forgets who was counted long ago. */
export const sweepViews = job({
  name: 'sweep-views',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.views.videos.view_expiration,
  run: async () => await forgetMarks()
})

async function writeDown(session: Session): Promise<void> {
  const watch = watchOf(session)
  if (!watch) return
  await keepWatch(watch)
  await tellWatch(watch)
}
