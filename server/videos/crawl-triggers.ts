import { onEvent } from '../core/events.ts'
import { crawlOutboxJob } from './crawl.job.ts'
import { fetchVideoCollections } from './fetch-video-collections.job.ts'

/** Enqueues a crawl for every accepted follow, and a fetch of the collections of every received video; called once at start. */
export function listenForCrawlTriggers(): void {
  onEvent('follow.accepted', async ({ targetId }) => await crawlOutboxJob.enqueue({ actorId: targetId }))
  onEvent('video.received', async ({ videoId }) => await fetchVideoCollections.enqueue({ videoId }))
}
