import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import { AS_PUBLIC, type Activity } from '../fediverse/vocabulary.ts'
import { videoAudience } from '../videos/video.outbox.ts'
import type { VideoView } from './count-views.ts'
import { claimViewerCountBroadcast, type VideoViewership } from './viewer-presence.ts'
import type { WatchRecord } from './watch-records.ts'

/** Whom to tell of a video: its origin, or for one of ours those who follow. */
type Place = { id: number; url: string; remote: boolean; told: boolean; inbox: string; account: string; channel: string }
type Lifetime = { subject: string; lifetime: number; supersedes?: string }

/**
 * Tells the origins of remote videos what was viewed here, within the transaction that counts it; of each video as many as are told at
 * once.
 */
export async function sendViewsToOrigins(counted: VideoView[], inside: Transaction): Promise<void> {
  if (!config.federation.enabled) return
  const { max_told_views, view_lifetime } = config.federation.videos
  const places = await placesOf(
    counted.map(view => view.videoId),
    inside
  )
  for (const place of places.values()) {
    if (!place.remote) continue
    const views = counted.filter(view => view.videoId === place.id).slice(0, max_told_views)
    // The same viewer may be told again another day.
    const now = Date.now()
    for (const { viewer } of views)
      await post(
        { ...viewOf(place, `${viewer}-${now}`), to: [place.account], cc: [] },
        place,
        { subject: `${place.url} ${viewer}`, lifetime: view_lifetime },
        inside
      )
  }
}

/**
 * Tells how many watch: the followers of our videos a number, the origins of remote ones each viewer; at most once in
 * `federation.videos.viewers_interval`.
 */
export async function sendViewerCounts(audiences: VideoViewership[]): Promise<void> {
  if (!config.federation.enabled || audiences.length === 0) return
  const places = await placesOf(audiences.map(one => one.videoId))
  for (const audience of audiences) {
    const place = places.get(audience.videoId)
    if (!place || !(place.remote ? audience.here.length > 0 : place.told) || !(await claimViewerCountBroadcast(place.id))) continue
    await transaction(
      async inside => await (place.remote ? tellPresence(place, audience.here, inside) : tellCounter(place, audience.total, inside))
    )
  }
}

/** Tells the origin of a remote video what was watched of it. */
export async function sendWatchAction(watch: WatchRecord): Promise<void> {
  const place = config.federation.enabled ? (await placesOf([watch.videoId])).get(watch.videoId) : undefined
  if (!place?.remote) return
  const actor = instanceActor()
  const document = {
    type: 'WatchAction',
    id: watch.url,
    startTime: watch.startedAt.toISOString(),
    endTime: watch.endedAt.toISOString(),
    duration: `PT${watch.duration}S`,
    uuid: watch.uuid,
    object: place.url,
    actionStatus: 'CompletedActionStatus',
    watchSections: watch.sections.map(({ start, end }) => ({ startTimestamp: start, endTimestamp: end }))
  }
  await enqueueActivity({
    activity: { to: [place.account], cc: [], type: 'Create', id: `${watch.url}/activity`, actor, object: document },
    kind: 'watchAction',
    audience: { inboxes: [place.inbox] },
    lane: DELIVERY_PRIORITY.BULK,
    subject: watch.url,
    lifetime: config.federation.videos.view_lifetime
  })
}

async function tellPresence(place: Place, viewers: string[], inside: Transaction): Promise<void> {
  const { max_viewers_per_host } = config.federation.videos
  for (const viewer of viewers.slice(0, max_viewers_per_host)) {
    await post(
      { ...viewOf(place, viewer), to: [place.account], cc: [], expires: expires().toISOString() },
      place,
      { subject: `viewer ${place.url} ${viewer}`, supersedes: `viewer ${place.url} ${viewer}`, lifetime: lifetime() },
      inside
    )
  }
}

async function tellCounter(place: Place, viewers: number, inside: Transaction): Promise<void> {
  const followers = [place.channel, place.account, instanceActor()].map(actor => `${actor}/followers`)
  const activity = {
    ...viewOf(place, 'counter'),
    to: [AS_PUBLIC, ...followers],
    cc: [],
    expires: expires().toISOString(),
    result: { type: 'InteractionCounter', interactionType: 'WatchAction', userInteractionCount: viewers }
  }
  await post(activity, place, { subject: `viewers ${place.url}`, supersedes: `viewers ${place.url}`, lifetime: lifetime() }, inside)
}

async function post(activity: Activity, place: Place, { subject, supersedes, lifetime }: Lifetime, inside: Transaction): Promise<void> {
  const audience = place.remote ? { inboxes: [place.inbox] } : await videoAudience(place, inside)
  await enqueueActivity({ activity, kind: 'view', audience, lane: DELIVERY_PRIORITY.BULK, subject, supersedes, lifetime }, inside)
}

function viewOf({ id, url }: Place, viewer: string): Activity {
  const actor = instanceActor()
  return { type: 'View', id: `${actor}/views/videos/${id}/${viewer}`, actor, object: url }
}

async function placesOf(videoIds: number[], inside?: Transaction): Promise<Map<number, Place>> {
  const rows = await runQuery<Place>(
    sql`
    SELECT v.id, v.url, v.remote, v.federated AND v.state = 1 AND NOT v.remote AS told, coalesce(aa.shared_inbox_url, aa.inbox_url) AS inbox, aa.url AS account, ca.url AS channel
    FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id
    WHERE v.id = ANY(${[...new Set(videoIds)]}::int[])`,
    inside
  )
  return new Map(rows.map(row => [row.id, row]))
}

/** Told again when three quarters of it are over. */
const lifetime = () => Math.round((config.federation.videos.viewers_interval * 4) / 3)
const expires = () => new Date(Date.now() + lifetime())
const instanceActor = () => `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
