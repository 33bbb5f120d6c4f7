import { z } from 'zod'
import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'
import { defineJob } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { Budget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { fetchChapters } from './chapters.ts'
import { crawlOutbox } from './outbox-crawler.ts'
import { federateVideoCounters } from './video.outbox.ts'
import { deleteExpiredGoneVideos } from './retention.ts'
import { resolveVideo } from './resolve-video.ts'
import { VideoModel } from './video.model.ts'

/** Reads one outbox. */
export const crawlOutboxJob = defineJob({
  name: 'crawl-outbox',
  queue: 'federation',
  payload: z.object({ actorId: z.int() }),
  run: async ({ actorId }) => await crawlOutbox(actorId)
})

let begun = false

/**
 * Reads the outboxes of all whom somebody here follows, each `federation.crawl.interval`; after a start all at once, as nobody knows what
 * was missed.
 */
export const crawlDueOutboxes = defineJob({
  name: 'repair',
  queue: 'federation',
  payload: z.object({}),
  every: () => pauseBetween(),
  run: async () => {
    if (!config.federation.enabled) return
    const pause = begun ? config.federation.crawl.interval : 0
    begun = true
    const due = await runQuery<{ id: number }>(sql`
      SELECT DISTINCT a.id FROM actors a JOIN follows f ON f.target_id = a.id JOIN actors mine ON mine.id = f.actor_id
      WHERE a.host IS NOT NULL AND a.outbox_url IS NOT NULL AND mine.host IS NULL AND f.state = 'accepted'
        AND (a.outbox_read_at IS NULL OR a.outbox_next IS NOT NULL OR a.outbox_read_at <= now() - make_interval(secs => ${pause / 1000}::double precision))`)
    for (const { id } of due) await crawlOutboxJob.enqueue({ actorId: id })
  }
})

/** Asks the origins of remote videos what they say now, those that were not asked for the longest time first. */
export const refreshRemoteVideos = defineJob({
  name: 'refresh-videos',
  queue: 'federation',
  payload: z.object({}),
  every: () => config.federation.actors.refresh_interval,
  run: async (_, { signal }) => {
    await deleteExpiredGoneVideos()
    const old = await runQuery<{ url: string }>(sql`
      SELECT url FROM videos WHERE remote AND gone_at IS NULL AND refreshed_at < now() - make_interval(secs => ${config.federation.actors.refresh_after / 1000}::double precision) ORDER BY refreshed_at LIMIT ${config.federation.crawl.refresh_batch}`)
    for (const { url } of old) {
      if (signal.aborted) return
      await resolveVideo(url, { refresh: true }).catch(async (error: unknown) => {
        if (!(error instanceof FetchError)) throw error
        // Whoever does not answer is asked again when the others had their turn.
        await runQuery(sql`UPDATE videos SET refreshed_at = now() WHERE url = ${url}`)
      })
    }
  }
})

/** Tells other servers the counters that are due. */
export const sendDueCounters = defineJob({
  name: 'tell-counters',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.federation.videos.counters_interval / 4,
  run: async () => {
    if (!config.federation.enabled) return
    const due = await runQuery<{ id: number }>(sql`SELECT id FROM videos WHERE counters_due_at <= now() ORDER BY counters_due_at`)
    for (const { id } of due) await federateVideoCounters(id)
  }
})

/** Fetches what stands around a remote video since its origin last spoke of it: its chapters, and how many like it. */
export const fetchVideoCollections = defineJob({
  name: 'fetch-around-video',
  queue: 'federation',
  payload: z.object({ videoId: z.int() }),
  run: async ({ videoId }) => {
    const video = await VideoModel.findByPk(videoId)
    if (!video?.remote || !video.aroundDueAt || video.goneAt) return
    const { likes, dislikes, chapters } = video.collections ?? { likes: null, dislikes: null, chapters: null }
    // Meanwhile the origin may have spoken again: then this answer is old, and the next is on its way.
    const still = sql`id = ${videoId} AND date_trunc('milliseconds', around_due_at) = ${video.aroundDueAt}`
    const budget = new Budget()
    try {
      if (chapters) await had(fetchChapters(videoId, chapters, budget))
      const [liked, disliked] = [await had(total(likes, budget)), await had(total(dislikes, budget))]
      await runQuery(
        sql`UPDATE videos SET likes = coalesce(${liked}::int, likes), dislikes = coalesce(${disliked}::int, dislikes), around_due_at = NULL WHERE ${still}`
      )
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      // The longer it does not answer, the longer it is left alone.
      await runQuery(
        sql`UPDATE videos SET around_due_at = now() + greatest(make_interval(secs => ${pauseBetween() / 1000}::double precision), now() - refreshed_at) WHERE ${still}`
      )
    }
  }
})

/** Sees that it is done for all: the news of a statement, and the jobs it made, may get lost. */
export const fetchDueVideoCollections = defineJob({
  name: 'fetch-around-due',
  queue: 'federation',
  payload: z.object({}),
  every: () => pauseBetween(),
  run: async () => {
    if (!config.federation.enabled) return
    const due = await runQuery<{ id: number }>(
      sql`SELECT id FROM videos WHERE around_due_at <= now() AND gone_at IS NULL ORDER BY around_due_at LIMIT ${config.federation.crawl.refresh_batch}`
    )
    for (const { id } of due) await fetchVideoCollections.enqueue({ videoId: id })
  }
})

/** Connects repair with the news it needs; called once at start. */
export function listenForCrawlTriggers(): void {
  onEvent('follow.accepted', async ({ targetId }) => await crawlOutboxJob.enqueue({ actorId: targetId }))
  onEvent('video.received', async ({ videoId }) => await fetchVideoCollections.enqueue({ videoId }))
}

const pauseBetween = () => Math.max(1000, config.federation.crawl.interval / 12)

/** What could be had; null for what there is not. Throws FetchError where it may be had later. */
async function had<T>(asked: Promise<T>): Promise<T | null> {
  return await asked.catch((error: unknown) => {
    if (!(error instanceof FetchError) || error.kind === 'budget' || error.kind === 'unreachable') throw error
    return null
  })
}

async function total(url: string | null, budget: Budget): Promise<number | null> {
  if (!url) return null
  const { document } = await fetchRemoteDocument(url, { budget })
  const { totalItems } = document
  return typeof totalItems === 'number' && totalItems >= 0 && totalItems < 2 ** 31 ? Math.floor(totalItems) : null
}
