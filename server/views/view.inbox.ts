import { runQuery, sql } from '../core/sql.ts'
import { logger } from '../core/logger.ts'
import { hmacUuid } from '../core/hmac.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { onActivity, onActivityBatch, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf } from '../fediverse/vocabulary.ts'
import { countViews, setRemoteViewCount } from './count-views.ts'
import { createBatcher } from './batcher.ts'
import { parseView, parseWatchAction } from './view.codec.ts'
import { recordRemoteViewer, setRemoteViewerCount } from './viewer-presence.ts'
import { storeRemoteWatchRecord } from './watch-records.ts'
import { VIDEO_FEDERATION } from '../videos/federation-internals.ts'

/** A video whose views are accepted; `host`: the host of its URL. */
type ViewedVideo = { id: number; remote: boolean; host: string }

/** Lifetime (ms) of an entry of the video cache. */
const CACHE_TTL = 10_000
/** Above this number of entries the video cache is cleared. */
const MAX_CACHE_ENTRIES = 10_000

/** Registers the inbox handlers of View and WatchAction; called once at start. */
export function registerViewInboxHandlers(): void {
  onActivityBatch('View', handleViews)
  onActivity('View', handleView)
  onActivity('Create(WatchAction)', handleWatchAction)
}

async function handleViews(batch: IncomingActivity[]): Promise<Map<IncomingActivity, boolean>> {
  const outcomes = await Promise.allSettled(batch.map(handleView))
  // Activities without a result are retried one by one.
  return new Map(
    batch.flatMap((incoming, index) => {
      const outcome = outcomes[index]!
      return outcome.status === 'fulfilled' ? [[incoming, outcome.value]] : []
    })
  )
}

/** Handles a View: a single view, a current viewer, or a counter. Views that arrive together are counted in one transaction. */
async function handleView({ id, actor, signer, activity, object }: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(object))
  const video = url && (await findViewedVideo(url))
  const view = parseView(activity, VIDEO_FEDERATION.viewersInterval * 2)
  if (!video || !view) return false
  const host = hostOf(actor)
  if (view.kind === 'counter' && video.remote) {
    // Only the origin of a video may send counters (docs/federation.md#view-counts).
    if (host !== video.host) return false
    if (view.until === null) await setRemoteViewCount(video.id, view.count)
    else await ignoreFailure(setRemoteViewerCount(video.id, view.count, view.until))
    return true
  }
  if (view.until !== null) {
    // Viewers of a remote video are accepted only from its origin, as actor or as forwarder.
    if (video.remote && host !== video.host && hostOf(signer) !== video.host) return false
    await ignoreFailure(recordRemoteViewer(video.id, host, await hmacUuid('view', id), view.until))
    return true
  }
  // The number of views of a remote video comes from its origin, as a counter or in the Video document.
  if (video.remote || view.kind === 'counter') return false
  await countInBatch({ videoId: video.id, viewer: await hmacUuid('view', id), host })
  return true
}

/** Stores a WatchAction for a local video. */
async function handleWatchAction({ actor, object }: IncomingActivity): Promise<boolean> {
  const watch = parseWatchAction(object)
  if (!watch || hostOf(watch.url) !== hostOf(actor)) return false
  const video = await findViewedVideo(watch.object)
  return video !== null && !video.remote && (await storeRemoteWatchRecord({ ...watch, videoId: video.id }))
}

const countInBatch = createBatcher(async (views: Parameters<typeof countViews>[0]) => await countViews(views))

const videoCache = new Map<string, { expiresAt: number; video: Promise<ViewedVideo | null> }>()
const queryInBatch = createBatcher(async (urls: string[], videos: Map<string, ViewedVideo>) => {
  const rows = await runQuery<ViewedVideo & { url: string }>(sql`
    SELECT url, id, remote FROM videos WHERE url = ANY(${urls}) AND (remote OR (privacy IN (1, 2) AND state = 1))`)
  for (const { url, id, remote } of rows) videos.set(url, { id, remote, host: hostOf(url) })
})

/** Returns the video with this URL if its views are accepted, from a cache, since many activities are about the same few videos. */
async function findViewedVideo(url: string): Promise<ViewedVideo | null> {
  const cached = videoCache.get(url)
  if (cached && cached.expiresAt > Date.now()) return await cached.video
  if (videoCache.size >= MAX_CACHE_ENTRIES) videoCache.clear()
  const video = queryInBatch(url).then(videos => videos.get(url) ?? null)
  videoCache.set(url, { expiresAt: Date.now() + CACHE_TTL, video })
  video.catch(() => videoCache.delete(url))
  return await video
}

/** Logs a failure instead of throwing, since current viewers are outdated by the time of a retry. */
async function ignoreFailure(recording: Promise<void>): Promise<void> {
  await recording.catch(error => logger.debug('A viewer could not be noted', { reason: (error as Error).message }))
}
