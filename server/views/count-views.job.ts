import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { countViews, deleteExpiredViewMarks } from './count-views.ts'
import { sendViewerCounts, sendViewsToOrigins, sendWatchAction } from './view.outbox.ts'
import { listViewerships } from './viewer-presence.ts'
import { popEndedWatchSessions, drainPendingViews, type WatchSession } from './watch-sessions.ts'
import { storeWatchRecord, toWatchRecord } from './watch-records.ts'

/** Counts what was viewed here since the last time, tells others of it and of who watches, and writes down what was watched. */
export const countNewViews = defineJob({
  name: 'count-views',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.views.videos.local_buffer_update_interval,
  run: async () => {
    await drainPendingViews(async views => await countViews(views, sendViewsToOrigins))
    await sendViewerCounts(await listViewerships())
    let ended: WatchSession[]
    do {
      ended = await popEndedWatchSessions()
      for (const session of ended) await writeDown(session)
    } while (ended.length > 0)
  }
})

/** Forgets who was counted long ago. */
export const sweepViewMarks = defineJob({
  name: 'sweep-views',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.views.videos.view_expiration,
  run: async () => await deleteExpiredViewMarks()
})

async function writeDown(session: WatchSession): Promise<void> {
  const watch = toWatchRecord(session)
  if (!watch) return
  await storeWatchRecord(watch)
  await sendWatchAction(watch)
}
