import { z } from 'zod'
import { config } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { countViews } from './count-views.ts'
import { sendViewerCounts, sendViewsToOrigins, sendWatchAction } from './view.outbox.ts'
import { listViewerships } from './viewer-presence.ts'
import { popEndedWatchSessions, drainPendingViews, type WatchSession } from './watch-sessions.ts'
import { storeWatchRecord, toWatchRecord } from './watch-records.ts'

/** Counts the pending views of this instance, federates them and the numbers of viewers, and stores the watch sessions that ended. */
export const countNewViews = defineJob({
  name: 'videos-views-stats',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.views.videos.local_buffer_update_interval,
  run: async () => {
    await drainPendingViews(async views => await countViews(views, sendViewsToOrigins))
    await sendViewerCounts(await listViewerships())
    let endedSessions: WatchSession[]
    do {
      endedSessions = await popEndedWatchSessions()
      for (const session of endedSessions) await storeEndedSession(session)
    } while (endedSessions.length > 0)
  }
})

async function storeEndedSession(session: WatchSession): Promise<void> {
  const watch = toWatchRecord(session)
  if (!watch) return
  await storeWatchRecord(watch)
  await sendWatchAction(watch)
}
