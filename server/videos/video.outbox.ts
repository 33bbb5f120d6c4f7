import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, type Sql, sqlInterval } from '../core/sql.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { DELIVERY_PRIORITY, enqueueActivity, cancelQueuedActivity, type DeliveryAudience } from '../fediverse/outbox.ts'
import { AS_PUBLIC, type Activity } from '../fediverse/vocabulary.ts'
import { serializeVideoObject } from './video-serializer.codec.ts'
import { shouldFederateVideo, findLocalVideo, type LocalVideo } from './local-video.query.ts'
import { VIDEO_FEDERATION } from './federation-internals.ts'

/**
 * Federates the current state of a local video, within the transaction that changed it: Create and Announce when it becomes visible to
 * followers, Update when it changed, Delete when it is no longer visible to them. Does nothing for a video that was never federated.
 */
export async function federateVideo(videoId: number, tx: Transaction): Promise<void> {
  if (!config.federation.enabled) return
  const video = await findLocalVideo(videoId, tx)
  if (!video) return
  if (shouldFederateVideo(video)) return await (video.federated ? sendUpdate(video, tx) : sendCreateAndAnnounces(video, tx))
  if (video.federated) await sendDelete(video, tx)
}

/** Federates the deletion of a local video; call before its rows are deleted. */
export async function federateVideoDeletion(videoId: number, tx: Transaction): Promise<void> {
  const video = config.federation.enabled ? await findLocalVideo(videoId, tx) : null
  if (video?.federated) await sendDelete(video, tx)
}

/**
 * Assignment for an UPDATE of `videos` that changes counters: schedules one activity for all changes within
 * `VIDEO_FEDERATION.countersInterval`.
 */
export function countersDueSql(): Sql {
  return sql`counters_due_at = CASE WHEN federated AND NOT remote THEN coalesce(counters_due_at,
      now() + ${sqlInterval(VIDEO_FEDERATION.countersInterval)}) END`
}

/** Sends an Update with the counters of a video, if they are due. */
export async function federateVideoCounters(videoId: number): Promise<void> {
  await transaction(async tx => {
    const due = await runQuery(
      sql`UPDATE videos SET counters_due_at = NULL WHERE id = ${videoId} AND counters_due_at <= now() RETURNING id`,
      tx
    )
    const video = due.length > 0 ? await findLocalVideo(videoId, tx) : null
    if (!video?.federated || !shouldFederateVideo(video)) return
    await enqueueActivity(
      {
        activity: videoUpdateActivity(video),
        kind: 'video',
        audience: await videoAudience(video, tx),
        lane: DELIVERY_PRIORITY.BULK,
        subject: video.object.id,
        supersedes: `counters ${video.object.id}`
      },
      tx
    )
  })
}

/** Returns the Create of a video, as it is sent to followers and served at `/activity`. */
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

/** Returns the Announce of a video by its channel, the instance or another actor. */
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

/** Undoes the Announce of a video by its old channel and announces it by its new one. */
export async function federateVideoChannelChange(videoId: number, oldChannelId: number, tx: Transaction): Promise<void> {
  const video = config.federation.enabled ? await findLocalVideo(videoId, tx) : null
  if (!video?.federated) return
  const [oldShare] = await runQuery<{ url: string; actor: string }>(
    sql`
    DELETE FROM video_shares s USING channels c, actors a WHERE c.id = ${oldChannelId} AND a.id = c.actor_id AND s.actor_id = a.id
      AND s.video_id = ${videoId} RETURNING s.url, a.url AS actor`,
    tx
  )
  if (oldShare) {
    const announce = videoAnnounceActivity({ ...video, channel: oldShare.actor }, oldShare)
    await enqueueActivity(
      {
        activity: {
          type: 'Undo',
          id: `${oldShare.url}/undo`,
          actor: oldShare.actor,
          to: [AS_PUBLIC],
          cc: [`${oldShare.actor}/followers`],
          object: announce
        },
        kind: 'base',
        audience: { followersOf: [oldShare.actor, video.account, instanceActor()] },
        lane: DELIVERY_PRIORITY.PUBLISH,
        subject: video.object.id
      },
      tx
    )
  }
  if (!shouldFederateVideo(video)) return
  await sendAnnounce(video, await storeShare(video, video.channel, tx), tx)
}

async function sendCreateAndAnnounces(video: LocalVideo, tx: Transaction): Promise<void> {
  await runQuery(sql`UPDATE videos SET federated = true, publications = publications + 1 WHERE id = ${video.id}`, tx)
  await enqueueActivity(
    {
      activity: videoCreateActivity(video),
      kind: 'video',
      audience: { followersOf: [video.account] },
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: video.object.id
    },
    tx
  )
  for (const actor of [video.channel, instanceActor()]) await sendAnnounce(video, await storeShare(video, actor, tx), tx)
}

async function sendUpdate(video: LocalVideo, tx: Transaction): Promise<void> {
  await enqueueActivity(
    {
      activity: videoUpdateActivity(video),
      kind: 'video',
      audience: await videoAudience(video, tx),
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: video.object.id,
      supersedes: `update ${video.object.id}`
    },
    tx
  )
}

async function sendDelete(video: LocalVideo, tx: Transaction): Promise<void> {
  const audience = await videoAudience(video, tx)
  await cancelQueuedActivity(`counters ${video.object.id}`, tx)
  // A video may be published and withdrawn several times; each Delete needs an id of its own.
  const id = `${video.object.id}/delete${video.publications > 1 ? `#${video.publications}` : ''}`
  await enqueueActivity(
    {
      activity: { to: [AS_PUBLIC], cc: [`${video.account}/followers`], type: 'Delete', id, actor: video.account, object: video.object.id },
      kind: 'base',
      audience,
      lane: DELIVERY_PRIORITY.NOW,
      subject: video.object.id
    },
    tx
  )
  await runQuery(sql`UPDATE videos SET federated = false WHERE id = ${video.id}`, tx)
  await runQuery(sql`DELETE FROM video_shares WHERE video_id = ${video.id}`, tx)
  await runQuery(sql`DELETE FROM redundancies WHERE video_id = ${video.id}`, tx)
}

function videoUpdateActivity({ object, account }: LocalVideo): Activity {
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

async function sendAnnounce(video: LocalVideo, share: { url: string; actor: string }, tx: Transaction): Promise<void> {
  await enqueueActivity(
    {
      activity: videoAnnounceActivity(video, share),
      kind: 'base',
      audience: { followersOf: [video.channel, instanceActor(), video.account] },
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: video.object.id
    },
    tx
  )
}

/** Stores that an actor of this instance shares a video. */
async function storeShare(video: LocalVideo, actor: string, tx: Transaction): Promise<{ url: string; actor: string }> {
  const [row] = await runQuery<{ url: string }>(
    sql`
    INSERT INTO video_shares (url, video_id, actor_id) SELECT ${video.object.id}::text || '/announces/' || id, ${video.id}::int, id
      FROM actors WHERE url = ${actor}
    ON CONFLICT (video_id, actor_id) DO UPDATE SET url = excluded.url RETURNING url`,
    tx
  )
  if (!row) throw new Error(`${actor} is no actor of this instance`)
  return { url: row.url, actor }
}

/** Returns the recipients of a video's activities: followers of its account, channel and instance, and remote actors that shared it or hold a copy. */
export async function videoAudience(
  { id, account, channel }: Pick<LocalVideo, 'id' | 'account' | 'channel'>,
  tx?: Transaction
): Promise<DeliveryAudience> {
  const recipients = await runQuery<{ inbox: string }>(
    sql`
    SELECT coalesce(a.shared_inbox_url, a.inbox_url) AS inbox FROM video_shares s JOIN actors a ON a.id = s.actor_id
      WHERE s.video_id = ${id} AND a.host IS NOT NULL
    UNION SELECT coalesce(a.shared_inbox_url, a.inbox_url) FROM redundancies r JOIN actors a ON a.id = r.actor_id
      WHERE r.video_id = ${id} AND a.host IS NOT NULL`,
    tx
  )
  return { followersOf: [account, channel, instanceActor()], inboxes: recipients.map(row => row.inbox) }
}

const instanceActor = () => `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
