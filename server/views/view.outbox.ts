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
import { VIDEO_FEDERATION } from '../videos/federation-internals.ts'

/** Where activities about a video go: to `inbox` for a remote one, to followers for a local one that is `federated`. */
type ViewTarget = { id: number; url: string; remote: boolean; federated: boolean; inbox: string; account: string; channel: string }
/** Options of an outbox entry; `lifetime` in ms. */
type ViewDeliveryOptions = { subject: string; lifetime: number; supersedes?: string }

/**
 * Sends a View for each counted view of a remote video to its origin, within the transaction that counts them; at most
 * `VIDEO_FEDERATION.maxToldViews` per video.
 */
export async function sendViewsToOrigins(counted: VideoView[], tx: Transaction): Promise<void> {
  if (!config.federation.enabled) return
  const { maxToldViews, viewLifetime } = VIDEO_FEDERATION
  const targets = await findViewTargets(
    counted.map(view => view.videoId),
    tx
  )
  for (const target of targets.values()) {
    if (!target.remote) continue
    const views = counted.filter(view => view.videoId === target.id).slice(0, maxToldViews)
    // The same viewer may be counted again later, with a View of a new id.
    const now = Date.now()
    for (const { viewer } of views)
      await enqueueView(
        { ...viewActivity(target, `${viewer}-${now}`), to: [target.account], cc: [] },
        target,
        { subject: `${target.url} ${viewer}`, lifetime: viewLifetime },
        tx
      )
  }
}

/**
 * Sends the number of viewers of local videos to followers, and each viewer of a remote video to its origin; at most once per video and
 * `VIDEO_FEDERATION.viewersInterval`.
 */
export async function sendViewerCounts(viewerships: VideoViewership[]): Promise<void> {
  if (!config.federation.enabled || viewerships.length === 0) return
  const targets = await findViewTargets(viewerships.map(viewership => viewership.videoId))
  for (const { videoId, localViewers, total } of viewerships) {
    const target = targets.get(videoId)
    if (!target || !(target.remote ? localViewers.length > 0 : target.federated)) continue
    if (!(await claimViewerCountBroadcast(target.id))) continue
    await transaction(async tx => await (target.remote ? sendViewers(target, localViewers, tx) : sendViewerCounter(target, total, tx)))
  }
}

/** Sends a Create(WatchAction) to the origin of a remote video; does nothing for a local video. */
export async function sendWatchAction(watch: WatchRecord): Promise<void> {
  const target = config.federation.enabled ? (await findViewTargets([watch.videoId])).get(watch.videoId) : undefined
  if (!target?.remote) return
  const actor = instanceActor()
  const document = {
    type: 'WatchAction',
    id: watch.url,
    startTime: watch.startedAt.toISOString(),
    endTime: watch.endedAt.toISOString(),
    duration: `PT${watch.duration}S`,
    uuid: watch.uuid,
    object: target.url,
    actionStatus: 'CompletedActionStatus',
    watchSections: watch.sections.map(({ start, end }) => ({ startTimestamp: start, endTimestamp: end }))
  }
  await enqueueActivity({
    activity: { to: [target.account], cc: [], type: 'Create', id: `${watch.url}/activity`, actor, object: document },
    kind: 'watchAction',
    audience: { inboxes: [target.inbox] },
    lane: DELIVERY_PRIORITY.BULK,
    subject: watch.url,
    lifetime: VIDEO_FEDERATION.viewLifetime
  })
}

async function sendViewers(target: ViewTarget, viewers: string[], tx: Transaction): Promise<void> {
  const { max_viewers_per_host } = config.federation.videos
  for (const viewer of viewers.slice(0, max_viewers_per_host)) {
    await enqueueView(
      { ...viewActivity(target, viewer), to: [target.account], cc: [], expires: presenceExpiry().toISOString() },
      target,
      { subject: `viewer ${target.url} ${viewer}`, supersedes: `viewer ${target.url} ${viewer}`, lifetime: presenceLifetime() },
      tx
    )
  }
}

async function sendViewerCounter(target: ViewTarget, viewers: number, tx: Transaction): Promise<void> {
  const followers = [target.channel, target.account, instanceActor()].map(actor => `${actor}/followers`)
  const activity = {
    ...viewActivity(target, 'counter'),
    to: [AS_PUBLIC, ...followers],
    cc: [],
    expires: presenceExpiry().toISOString(),
    result: { type: 'InteractionCounter', interactionType: 'WatchAction', userInteractionCount: viewers }
  }
  const key = `viewers ${target.url}`
  await enqueueView(activity, target, { subject: key, supersedes: key, lifetime: presenceLifetime() }, tx)
}

async function enqueueView(
  activity: Activity,
  target: ViewTarget,
  { subject, supersedes, lifetime }: ViewDeliveryOptions,
  tx: Transaction
): Promise<void> {
  const audience = target.remote ? { inboxes: [target.inbox] } : await videoAudience(target, tx)
  await enqueueActivity({ activity, kind: 'view', audience, lane: DELIVERY_PRIORITY.BULK, subject, supersedes, lifetime }, tx)
}

function viewActivity({ id, url }: ViewTarget, idSuffix: string): Activity {
  const actor = instanceActor()
  return { type: 'View', id: `${actor}/views/videos/${id}/${idSuffix}`, actor, object: url }
}

/** Returns the targets of videos by video id. */
async function findViewTargets(videoIds: number[], tx?: Transaction): Promise<Map<number, ViewTarget>> {
  const rows = await runQuery<ViewTarget>(
    sql`
    SELECT v.id, v.url, v.remote, v.federated AND v.state = 1 AND NOT v.remote AS federated,
      coalesce(aa.shared_inbox_url, aa.inbox_url) AS inbox, aa.url AS account, ca.url AS channel
    FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id JOIN accounts a ON a.id = c.account_id
      JOIN actors aa ON aa.id = a.actor_id
    WHERE v.id = ANY(${[...new Set(videoIds)]}::int[])`,
    tx
  )
  return new Map(rows.map(row => [row.id, row]))
}

/** Milliseconds for which viewers count; they are sent again after three quarters of that time. */
const presenceLifetime = () => Math.round((VIDEO_FEDERATION.viewersInterval * 4) / 3)
const presenceExpiry = () => new Date(Date.now() + presenceLifetime())
const instanceActor = () => `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
