import { config, instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { resolveActivityActor } from '../actors/follow.inbox.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { hostOf, httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { enqueueForwardedActivities } from '../fediverse/outbox.ts'
import { onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, isObject, listOf, type JsonObject } from '../fediverse/vocabulary.ts'

/**
 * A copy of a video as its holder announces it (docs/federation.md#redundancy-documents): the folder of its HLS files, on the holder's own
 * host.
 */
export type CacheFile = { url: string; video: string; baseUrl: string; expires: Date | null }
type Row = { id: number; video_id: number; remote: boolean; account: string; channel: string }

const HLS = 'application/x-mpegURL'

/** Hears of copies that other instances hold; called once at start. */
export function registerRedundancyInboxHandlers(): void {
  onActivity('Create(CacheFile)', takeCacheFile)
  onActivity('Update(CacheFile)', takeCacheFile)
  onActivity(
    'Undo(Create)',
    async incoming =>
      isObject(incoming.object) &&
      isObject(incoming.object.object) &&
      incoming.object.object.type === 'CacheFile' &&
      (await dropCacheFile(incoming, httpUrl(idOf(incoming.object.object))))
  )
  onActivity('Delete(CacheFile)', async incoming => await dropCacheFile(incoming, httpUrl(idOf(incoming.object))))
}

/**
 * Reads a CacheFile; null where it is none, is no copy of the HLS files, or lies on another host than it is told from
 * (docs/federation.md#copies).
 */
export function parseCacheFile(object: JsonObject): CacheFile | null {
  const url = httpUrl(object.id)
  const video = httpUrl(idOf(object.object))
  const link = listOf(object.url)
    .filter(isObject)
    .find(({ mediaType }) => mediaType === HLS)
  const baseUrl = httpUrl(link?.href)
  if (!url || !video || !baseUrl || !sameOrigin(baseUrl, url) || new URL(baseUrl).search !== '') return null
  if (object.expires === null || object.expires === undefined) return { url, video, baseUrl, expires: null }
  const expires = typeof object.expires === 'string' ? new Date(object.expires) : null
  return expires && !Number.isNaN(expires.getTime()) ? { url, video, baseUrl, expires } : null
}

/** The CacheFile of a copy. */
export function serializeCacheFile({ url, video, baseUrl, expires }: CacheFile): { id: string; [key: string]: unknown } {
  return {
    id: url,
    type: 'CacheFile',
    object: video,
    expires: expires?.toISOString() ?? null,
    url: { type: 'Link', mediaType: HLS, href: baseUrl }
  }
}

/** Of our own videos the configuration says whose copies count; of others' whoever their origin sends on. */
async function takeCacheFile(incoming: IncomingActivity): Promise<boolean> {
  const copy = isObject(incoming.object) ? parseCacheFile(incoming.object) : null
  if (!copy || !sameOrigin(copy.url, incoming.actor) || (copy.expires && copy.expires <= new Date())) return false
  const video = await copied(copy.video)
  if (!video || !(video.remote ? hostOf(incoming.signer) === hostOf(copy.video) : await isWelcome(hostOf(incoming.actor)))) return false
  const { id: actorId } = await resolveActivityActor(incoming)
  return await transaction(async inside => {
    const taken = await runQuery(
      sql`
      INSERT INTO redundancies (url, video_id, actor_id, base_url, expires_at) VALUES (${copy.url}, ${video.id}, ${actorId}, ${copy.baseUrl}, ${copy.expires})
      ON CONFLICT (video_id, actor_id) DO UPDATE SET url = excluded.url, base_url = excluded.base_url, expires_at = excluded.expires_at, updated_at = now()
        WHERE NOT EXISTS (SELECT 1 FROM redundancies other WHERE other.url = excluded.url AND other.id <> redundancies.id) RETURNING id`,
      inside
    )
    if (taken.length === 0) return false
    if (!video.remote) await sendOn(incoming, video, copy.url, inside)
    return true
  })
}

async function dropCacheFile(incoming: IncomingActivity, url: string | null): Promise<boolean> {
  return await transaction(async inside => {
    const [gone] = await runQuery<{ video: string }>(
      sql`
      DELETE FROM redundancies r USING actors a, videos v WHERE r.url = ${url} AND a.id = r.actor_id AND a.url = ${incoming.actor} AND v.id = r.video_id RETURNING v.url AS video`,
      inside
    )
    if (!gone) return false
    const video = await copied(gone.video)
    if (video && !video.remote) await sendOn(incoming, video, url!, inside)
    return true
  })
}

async function copied(url: string): Promise<Row | null> {
  const [row] = await runQuery<Row>(sql`
    SELECT v.id, v.id AS video_id, v.remote, aa.url AS account, ca.url AS channel FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id
      JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id WHERE v.url = ${url} AND v.privacy = 1 AND (v.remote OR v.state = 1) AND NOT v.is_live`)
  return row ?? null
}

async function isWelcome(host: string): Promise<boolean> {
  const from = config.remote_redundancy.videos.accept_from
  if (from !== 'followings') return from === 'anybody'
  return (
    (
      await runQuery(sql`
    SELECT 1 FROM follows f JOIN actors mine ON mine.id = f.actor_id JOIN actors theirs ON theirs.id = f.target_id WHERE mine.host IS NULL AND theirs.host = ${host} AND f.state = 'accepted' LIMIT 1`)
    ).length > 0
  )
}

async function sendOn(
  { body, type, signer }: IncomingActivity,
  { account, channel }: Row,
  subject: string,
  inside: Parameters<typeof enqueueForwardedActivities>[2]
): Promise<void> {
  const instance = `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
  await enqueueForwardedActivities(
    instance,
    [{ body, type, audience: { followersOf: [account, channel, instance], except: [hostOf(signer)] }, subject }],
    inside
  )
}
