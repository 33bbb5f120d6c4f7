import { runQuery, sql } from '../core/sql.ts'
import { config } from '../core/config.ts'
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

/** What must be known of a video that is viewed elsewhere. */
type Viewed = { id: number; remote: boolean; host: string }

/** How long a video that was asked for is remembered, and how many. */
const REMEMBER = 10_000
const MANY = 10_000

/** Hears of views and viewers of videos, and of what was watched of ours. */
export function registerViewInboxHandlers(): void {
  onActivityBatch('View', receiveAll)
  onActivity('View', receiveView)
  onActivity('Create(WatchAction)', receiveWatch)
}

async function receiveAll(all: IncomingActivity[]): Promise<Map<IncomingActivity, boolean>> {
  const outcomes = await Promise.allSettled(all.map(receiveView))
  // Those that failed are tried one by one.
  return new Map(
    all.flatMap((incoming, index) => {
      const outcome = outcomes[index]!
      return outcome.status === 'fulfilled' ? [[incoming, outcome.value]] : []
    })
  )
}

/** One view, one viewer for a while, or how many there are; all that come together are written together. */
async function receiveView({ id, actor, signer, activity, object }: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(object))
  const video = url && (await viewed(url))
  const view = parseView(activity, config.federation.videos.viewers_interval * 2)
  if (!video || !view) return false
  const host = hostOf(actor)
  if (view.kind === 'counter' && video.remote) {
    // Only its origin knows how many watch a video (docs/federation.md#view-counts).
    if (host !== video.host) return false
    if (view.until === null) await setRemoteViewCount(video.id, view.count)
    else await lossy(setRemoteViewerCount(video.id, view.count, view.until))
    return true
  }
  if (view.until !== null) {
    // Of a remote video only what its origin says, or sends on.
    if (video.remote && host !== video.host && hostOf(signer) !== video.host) return false
    await lossy(recordRemoteViewer(video.id, host, await hmacUuid('view', id), view.until))
    return true
  }
  // The origin of a remote video tells how often it was viewed with the video itself.
  if (video.remote || view.kind === 'counter') return false
  await counting({ videoId: video.id, viewer: await hmacUuid('view', id), host })
  return true
}

/** What somebody elsewhere watched of one of our videos. */
async function receiveWatch({ actor, object }: IncomingActivity): Promise<boolean> {
  const watch = parseWatchAction(object)
  if (!watch || hostOf(watch.url) !== hostOf(actor)) return false
  const video = await viewed(watch.object)
  return video !== null && !video.remote && (await storeRemoteWatchRecord({ ...watch, videoId: video.id }))
}

const counting = createBatcher(async (views: Parameters<typeof countViews>[0]) => await countViews(views))

const asked = new Map<string, { until: number; video: Promise<Viewed | null> }>()
const asking = createBatcher(async (urls: string[], answer: Map<string, Viewed>) => {
  const rows = await runQuery<Viewed & { url: string }>(sql`
    SELECT url, id, remote FROM videos WHERE url = ANY(${urls}) AND (remote OR (privacy IN (1, 2) AND state = 1))`)
  for (const { url, id, remote } of rows) answer.set(url, { id, remote, host: hostOf(url) })
})

/** A video whose views count, by address; floods ask for the same ones again and again. */
async function viewed(url: string): Promise<Viewed | null> {
  const known = asked.get(url)
  if (known && known.until > Date.now()) return await known.video
  if (asked.size >= MANY) asked.clear()
  const video = asking(url).then(answer => answer.get(url) ?? null)
  asked.set(url, { until: Date.now() + REMEMBER, video })
  video.catch(() => asked.delete(url))
  return await video
}

/** Viewers of a moment are not worth another try. */
async function lossy(noting: Promise<void>): Promise<void> {
  await noting.catch(error => logger.debug('A viewer could not be noted', { reason: (error as Error).message }))
}
