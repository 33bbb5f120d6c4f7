import { z } from 'zod'
import { defineJob } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { fetchPlaylistElements } from './remote-playlists.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

/** Crawls the elements of one remote playlist. */
export const crawlPlaylistElementsJob = defineJob({
  name: 'read-playlist',
  queue: 'federation',
  payload: z.object({ playlistId: z.int() }),
  run: async ({ playlistId }) => await fetchPlaylistElements(playlistId)
})

/** Enqueues the crawl of the remote playlists whose elements are due, at most `CRAWL.refreshBatch`. */
export async function enqueueDuePlaylistElements(): Promise<void> {
  const due = await runQuery<{ id: number }>(sql`
    SELECT id FROM playlists WHERE remote AND elements_due IS NOT NULL
    ORDER BY elements_due LIMIT ${CRAWL.refreshBatch}`)
  for (const { id } of due) await crawlPlaylistElementsJob.enqueue({ playlistId: id })
}
