import { z } from 'zod'
import { defineJob } from '../core/job.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { fetchChapters } from './chapters.ts'
import { crawlCheckInterval } from './crawl-interval.ts'
import { VideoModel } from './video.model.ts'

/** Fetches the chapters and the numbers of likes and dislikes of a remote video that was received since they were last fetched. */
export const fetchVideoCollections = defineJob({
  name: 'fetch-around-video',
  queue: 'federation',
  payload: z.object({ videoId: z.int() }),
  run: async ({ videoId }) => {
    const video = await VideoModel.findByPk(videoId)
    if (!video?.remote || !video.aroundDueAt || video.goneAt) return
    const { likes, dislikes, chapters } = video.collections ?? { likes: null, dislikes: null, chapters: null }
    // If the video was received again in the meantime, this result is outdated and another job is already enqueued.
    const isUnchanged = sql`id = ${videoId} AND date_trunc('milliseconds', around_due_at) = ${video.aroundDueAt}`
    const budget = new FetchBudget()
    try {
      if (chapters) await nullIfMissing(fetchChapters(videoId, chapters, budget))
      const likeCount = await nullIfMissing(fetchTotalItems(likes, budget))
      const dislikeCount = await nullIfMissing(fetchTotalItems(dislikes, budget))
      await runQuery(sql`
        UPDATE videos SET likes = coalesce(${likeCount}::int, likes), dislikes = coalesce(${dislikeCount}::int, dislikes),
          around_due_at = NULL WHERE ${isUnchanged}`)
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      // Backoff: the delay grows with the time since the video was last refreshed.
      await runQuery(sql`
        UPDATE videos SET around_due_at = now()
          + greatest(${sqlInterval(crawlCheckInterval())}, now() - refreshed_at) WHERE ${isUnchanged}`)
    }
  }
})

/** Returns null where the origin has no such document. Throws FetchError where a later attempt may succeed. */
async function nullIfMissing<T>(fetching: Promise<T>): Promise<T | null> {
  return await fetching.catch((error: unknown) => {
    if (!(error instanceof FetchError) || error.kind === 'budget' || error.kind === 'unreachable') throw error
    return null
  })
}

/** Returns the `totalItems` of a collection, null without a URL or a valid number. Throws FetchError. */
async function fetchTotalItems(url: string | null, budget: FetchBudget): Promise<number | null> {
  if (!url) return null
  const { document } = await fetchRemoteDocument(url, { budget })
  const { totalItems } = document
  return typeof totalItems === 'number' && totalItems >= 0 && totalItems < 2 ** 31 ? Math.floor(totalItems) : null
}
