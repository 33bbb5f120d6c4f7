import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { resolveActivityActor } from '../actors/follow.inbox.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { parseRemoteDate } from '../fediverse/dates.ts'
import { hostOf, httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { enqueueForwardedActivities } from '../fediverse/outbox.ts'
import { registerObjectRefreshHandler } from '../fediverse/object-refreshes.ts'
import { onActivity, onWithdrawal, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, isObject, listOf, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'

/**
 * A copy of a video on another instance (docs/federation.md#redundancy-documents). `video`: URL of the video; `baseUrl`: URL of the folder
 * of its HLS files, on the holder's host; `expires`: null without a limit.
 */
export type CacheFile = { url: string; video: string; baseUrl: string; expires: Date | null }
/** The video of a copy; `account` and `channel` are the URLs of its actors. */
type CopiedVideoRow = { id: number; video_id: number; remote: boolean; account: string; channel: string }

const HLS_PLAYLIST_TYPE = 'application/x-mpegURL'

/** Registers the inbox handlers of CacheFiles; called once at start. */
export function registerRedundancyInboxHandlers(): void {
  onActivity('Create(CacheFile)', storeCacheFile)
  onActivity('Update(CacheFile)', storeCacheFile)
  onActivity(
    'Undo(Create)',
    async incoming =>
      isObject(incoming.object) &&
      typeOf(incoming.object.object) === 'CacheFile' &&
      (await removeCacheFile(incoming, httpUrl(idOf(incoming.object.object)) ?? ''))
  )
  registerObjectRefreshHandler({ types: ['CacheFile'], listOwners: listCopyHolders, store: storeCurrentCopy, remove: removeCopy })
  // PeerTube derives the id of a Create from its object.
  onWithdrawal(async (id, incoming) => await removeCacheFile(incoming, id.replace(/\/activity$/, '')))
}

/**
 * Parses a CacheFile; returns null if it is invalid, is not a copy of HLS files, or its files are not of the origin of its id
 * (docs/federation.md#copies).
 */
export function parseCacheFile(object: JsonObject): CacheFile | null {
  const url = httpUrl(object.id)
  const video = httpUrl(idOf(object.object))
  const link = listOf(object.url)
    .filter(isObject)
    .find(({ mediaType }) => mediaType === HLS_PLAYLIST_TYPE)
  const baseUrl = httpUrl(link?.href)
  if (!url || !video || !baseUrl || !sameOrigin(baseUrl, url) || new URL(baseUrl).search !== '') return null
  if (object.expires === null || object.expires === undefined) return { url, video, baseUrl, expires: null }
  const expires = parseRemoteDate(object.expires)
  return expires && { url, video, baseUrl, expires }
}

/** Returns the CacheFile object of a copy. */
export function serializeCacheFile({ url, video, baseUrl, expires }: CacheFile): { id: string; [key: string]: unknown } {
  return {
    id: url,
    type: 'CacheFile',
    object: video,
    expires: expires?.toISOString() ?? null,
    url: { type: 'Link', mediaType: HLS_PLAYLIST_TYPE, href: baseUrl }
  }
}

/**
 * Stores a copy; returns whether it did. Copies of local videos are accepted from the hosts that `remote_redundancy.videos.accept_from`
 * allows, copies of remote videos only if the origin of the video sent or forwarded the activity.
 */
async function storeCacheFile(incoming: IncomingActivity): Promise<boolean> {
  const copy = isObject(incoming.object) ? parseCacheFile(incoming.object) : null
  if (!copy || !sameOrigin(copy.url, incoming.actor) || (copy.expires && copy.expires <= new Date())) return false
  const video = await findCopiedVideo(copy.video)
  if (!video) return false
  const isAccepted = video.remote ? hostOf(incoming.signer) === hostOf(copy.video) : await isHostAccepted(hostOf(incoming.actor))
  if (!isAccepted) return false
  const { id: actorId } = await resolveActivityActor(incoming)
  return await transaction(async tx => {
    const stored = await runQuery(
      sql`
      INSERT INTO redundancies (url, video_id, actor_id, base_url, expires_at)
        VALUES (${copy.url}, ${video.id}, ${actorId}, ${copy.baseUrl}, ${copy.expires})
      ON CONFLICT (video_id, actor_id) DO UPDATE
        SET url = excluded.url, base_url = excluded.base_url, expires_at = excluded.expires_at, updated_at = now()
        WHERE NOT EXISTS (SELECT 1 FROM redundancies other WHERE other.url = excluded.url AND other.id <> redundancies.id) RETURNING id`,
      tx
    )
    if (stored.length === 0) return false
    if (!video.remote) await forwardToFollowers(incoming, video, copy.url, tx)
    return true
  })
}

/** Stores how a known copy is now, as its holder serves it. */
async function storeCurrentCopy(document: JsonObject): Promise<void> {
  const copy = parseCacheFile(document)
  if (copy)
    await runQuery(
      sql`UPDATE redundancies SET base_url = ${copy.baseUrl}, expires_at = ${copy.expires}, updated_at = now() WHERE url = ${copy.url}`
    )
}

async function listCopyHolders(url: string): Promise<string[]> {
  const holders = await runQuery<{ url: string }>(
    sql`SELECT a.url FROM redundancies r JOIN actors a ON a.id = r.actor_id WHERE r.url = ${url}`
  )
  return holders.map(holder => holder.url)
}

/** Removes a copy that its holder does not have any more. */
async function removeCopy(url: string): Promise<void> {
  await runQuery(sql`DELETE FROM redundancies WHERE url = ${url}`)
}

async function removeCacheFile(incoming: IncomingActivity, url: string): Promise<boolean> {
  return await transaction(async tx => {
    const [removed] = await runQuery<{ video: string }>(
      sql`
      DELETE FROM redundancies r USING actors a, videos v WHERE r.url = ${url} AND a.id = r.actor_id AND a.url = ${incoming.actor}
        AND v.id = r.video_id RETURNING v.url AS video`,
      tx
    )
    if (!removed) return false
    const video = await findCopiedVideo(removed.video, tx)
    if (video && !video.remote) await forwardToFollowers(incoming, video, url, tx)
    return true
  })
}

/** Returns the public video with this URL; null if there is none. */
async function findCopiedVideo(url: string, tx?: Transaction): Promise<CopiedVideoRow | null> {
  const [row] = await runQuery<CopiedVideoRow>(
    sql`
    SELECT v.id, v.id AS video_id, v.remote, aa.url AS account, ca.url AS channel FROM videos v JOIN channels c ON c.id = v.channel_id
      JOIN actors ca ON ca.id = c.actor_id
      JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id
    WHERE v.url = ${url} AND v.privacy = 1 AND (v.remote OR v.state = 1) AND NOT v.is_live`,
    tx
  )
  return row ?? null
}

async function isHostAccepted(host: string): Promise<boolean> {
  const acceptFrom = config.remote_redundancy.videos.accept_from
  if (acceptFrom !== 'followings') return acceptFrom === 'anybody'
  return (
    (
      await runQuery(sql`
    SELECT 1 FROM follows f JOIN actors mine ON mine.id = f.actor_id JOIN actors theirs ON theirs.id = f.target_id
    WHERE mine.host IS NULL AND theirs.host = ${host} AND f.state = 'accepted' LIMIT 1`)
    ).length > 0
  )
}

/** Forwards the activity to the followers of the video's owners and of this instance, except on the sender's host. */
async function forwardToFollowers(
  { body, type, signer }: IncomingActivity,
  { account, channel }: CopiedVideoRow,
  subject: string,
  tx: Transaction
): Promise<void> {
  const instance = `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
  await enqueueForwardedActivities(
    instance,
    [{ body, type, audience: { followersOf: [account, channel, instance], except: [hostOf(signer)] }, subject }],
    tx
  )
}
