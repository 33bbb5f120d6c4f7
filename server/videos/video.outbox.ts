import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { DELIVERY_PRIORITY, enqueueActivity, cancelQueuedActivity, type DeliveryAudience } from '../fediverse/outbox.ts'
import { AS_PUBLIC, type Activity } from '../fediverse/vocabulary.ts'
import { serializeVideoObject } from './video-serializer.codec.ts'
import { shouldFederateVideo, findLocalVideo, type LocalVideo } from './local-video.query.ts'

/**
 * Tells followers what became of a local video, within the transaction that changed it: Create and Announce when they may know of it
 * for the first time, Update when it changed, Delete when it is no longer for them. Nothing for a video nobody was told of.
 */
export async function federateVideo(videoId: number, transaction: Transaction): Promise<void> {
  if (!config.federation.enabled) return
  const video = await findLocalVideo(videoId, transaction)
  if (!video) return
  if (shouldFederateVideo(video)) return await (video.federated ? tellUpdate(video, transaction) : tellNew(video, transaction))
  if (video.federated) await tellDeleted(video, transaction)
}

/** Tells followers that a video is deleted, before its rows go. */
export async function federateVideoDeletion(videoId: number, transaction: Transaction): Promise<void> {
  const video = config.federation.enabled ? await findLocalVideo(videoId, transaction) : null
  if (video?.federated) await tellDeleted(video, transaction)
}

/**
 * For the UPDATE of `videos` that changes counters: notes with it that other servers are to be told, once for all that changes within
 * `federation.videos.counters_interval`.
 */
export function countersDueSql(): Sql {
  return sql`counters_due_at = CASE WHEN federated AND NOT remote THEN coalesce(counters_due_at, now() + make_interval(secs => ${config.federation.videos.counters_interval / 1000}::double precision)) END`
}

/** Tells other servers the counters of a video, if they are due. */
export async function federateVideoCounters(videoId: number): Promise<void> {
  await transaction(async inside => {
    const due = await runQuery(
      sql`UPDATE videos SET counters_due_at = NULL WHERE id = ${videoId} AND counters_due_at <= now() RETURNING id`,
      inside
    )
    const video = due.length > 0 ? await findLocalVideo(videoId, inside) : null
    if (!video?.federated || !shouldFederateVideo(video)) return
    await enqueueActivity(
      {
        activity: updateOf(video),
        kind: 'video',
        audience: await videoAudience(video, inside),
        lane: DELIVERY_PRIORITY.BULK,
        subject: video.object.id,
        supersedes: `counters ${video.object.id}`
      },
      inside
    )
  })
}

/** The Create of a video, as its followers get it and as its origin serves it. */
export function videoCreateActivity({ object, account }: LocalVideo): Activity {
  const document = serializeVideoObject(object)
  return {
    to: document.to as string[],
    cc: document.cc as string[],
    type: 'Create',
    id: `${object.id}/activity`,
    actor: account,
    object: document
  }
}

/** The Announce of a video by its channel or instance, or whoever else shared it. */
export function videoAnnounceActivity(
  { object, account, channel }: Pick<LocalVideo, 'object' | 'account' | 'channel'>,
  share: { url: string; actor: string }
): Activity {
  const followers = [...new Set([channel, instanceActor(), account])].map(actor => `${actor}/followers`)
  return {
    to: object.public ? [AS_PUBLIC, ...followers] : followers,
    cc: [],
    type: 'Announce',
    id: share.url,
    actor: share.actor,
    object: object.id
  }
}

/** Moves the share of a video to its new channel: followers of the old one hear that it was taken back. */
export async function federateVideoChannelChange(videoId: number, oldChannelId: number, transaction: Transaction): Promise<void> {
  const video = config.federation.enabled ? await findLocalVideo(videoId, transaction) : null
  if (!video?.federated) return
  const [old] = await runQuery<{ url: string; actor: string }>(
    sql`
    DELETE FROM video_shares s USING channels c, actors a WHERE c.id = ${oldChannelId} AND a.id = c.actor_id AND s.actor_id = a.id AND s.video_id = ${videoId} RETURNING s.url, a.url AS actor`,
    transaction
  )
  if (old) {
    const announce = videoAnnounceActivity({ ...video, channel: old.actor }, old)
    await enqueueActivity(
      {
        activity: {
          type: 'Undo',
          id: `${old.url}/undo`,
          actor: old.actor,
          to: [AS_PUBLIC],
          cc: [`${old.actor}/followers`],
          object: announce
        },
        kind: 'base',
        audience: { followersOf: [old.actor, video.account, instanceActor()] },
        lane: DELIVERY_PRIORITY.PUBLISH,
        subject: video.object.id
      },
      transaction
    )
  }
  if (!shouldFederateVideo(video)) return
  await announce(video, await share(video, video.channel, transaction), transaction)
}

async function tellNew(video: LocalVideo, transaction: Transaction): Promise<void> {
  await runQuery(sql`UPDATE videos SET federated = true, publications = publications + 1 WHERE id = ${video.id}`, transaction)
  await enqueueActivity(
    {
      activity: videoCreateActivity(video),
      kind: 'video',
      audience: { followersOf: [video.account] },
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: video.object.id
    },
    transaction
  )
  for (const actor of [video.channel, instanceActor()]) await announce(video, await share(video, actor, transaction), transaction)
}

async function tellUpdate(video: LocalVideo, transaction: Transaction): Promise<void> {
  await enqueueActivity(
    {
      activity: updateOf(video),
      kind: 'video',
      audience: await videoAudience(video, transaction),
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: video.object.id,
      supersedes: `update ${video.object.id}`
    },
    transaction
  )
}

async function tellDeleted(video: LocalVideo, transaction: Transaction): Promise<void> {
  const audience = await videoAudience(video, transaction)
  await cancelQueuedActivity(`counters ${video.object.id}`, transaction)
  // The same video may come back and go again: each time is a message of its own.
  const id = `${video.object.id}/delete${video.publications > 1 ? `#${video.publications}` : ''}`
  await enqueueActivity(
    {
      activity: { to: [AS_PUBLIC], cc: [`${video.account}/followers`], type: 'Delete', id, actor: video.account, object: video.object.id },
      kind: 'base',
      audience,
      lane: DELIVERY_PRIORITY.NOW,
      subject: video.object.id
    },
    transaction
  )
  await runQuery(sql`UPDATE videos SET federated = false WHERE id = ${video.id}`, transaction)
  await runQuery(sql`DELETE FROM video_shares WHERE video_id = ${video.id}`, transaction)
}

function updateOf({ object, account }: LocalVideo): Activity {
  const document = serializeVideoObject(object)
  return {
    to: document.to as string[],
    cc: document.cc as string[],
    type: 'Update',
    id: `${object.id}/updates/${new Date().toISOString()}`,
    actor: account,
    object: document
  }
}

async function announce(video: LocalVideo, share: { url: string; actor: string }, transaction: Transaction): Promise<void> {
  await enqueueActivity(
    {
      activity: videoAnnounceActivity(video, share),
      kind: 'base',
      audience: { followersOf: [video.channel, instanceActor(), video.account] },
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: video.object.id
    },
    transaction
  )
}

async function share(video: LocalVideo, actor: string, transaction: Transaction): Promise<{ url: string; actor: string }> {
  const [row] = await runQuery<{ url: string }>(
    sql`
    INSERT INTO video_shares (url, video_id, actor_id) SELECT ${video.object.id}::text || '/announces/' || id, ${video.id}::int, id FROM actors WHERE url = ${actor}
    ON CONFLICT (video_id, actor_id) DO UPDATE SET url = excluded.url RETURNING url`,
    transaction
  )
  if (!row) throw new Error(`${actor} is no actor of this instance`)
  return { url: row.url, actor }
}

/** Followers of all who brought the video to somebody here, and those elsewhere who shared it. */
export async function videoAudience(
  { id, account, channel }: Pick<LocalVideo, 'id' | 'account' | 'channel'>,
  transaction?: Transaction
): Promise<DeliveryAudience> {
  const sharers = await runQuery<{ inbox: string }>(
    sql`
    SELECT DISTINCT coalesce(a.shared_inbox_url, a.inbox_url) AS inbox FROM video_shares s JOIN actors a ON a.id = s.actor_id WHERE s.video_id = ${id} AND a.host IS NOT NULL`,
    transaction
  )
  return { followersOf: [account, channel, instanceActor()], inboxes: sharers.map(row => row.inbox) }
}

const instanceActor = () => `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
