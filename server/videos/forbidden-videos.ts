import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { acquireClassLock } from '../core/locks.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { hostOf, originOf } from '../fediverse/origin.ts'
import { addTombstone } from '../fediverse/tombstones.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { VIDEO_FEDERATION } from './federation-internals.ts'
import { VIDEO_PRIVACY } from './video.model.ts'

/**
 * Handles the answer 401 or 403 of the origin of a video to a request sent at `requestedAt`, which is how PeerTube answers for a private
 * video, and a server with trouble for everything. The video is hidden with all it has if the instance actor of that server can be read
 * with the same signature and few of its videos have become forbidden at the same time; it is visible again at the first 200
 * (store-remote-video.ts), and deleted if it stays forbidden for `federation.videos.keep_gone`
 * (docs/federation.md#forbidden-videos).
 */
export async function handleForbiddenVideo(url: string, requestedAt: Date, error: FetchError): Promise<void> {
  // A firewall answers with a page.
  if (error.isHtml || !(await isInstanceActorReadable(url))) return
  const host = hostOf(url)
  await transaction(async tx => {
    await acquireClassLock('FORBIDDEN_OF_HOST', host, tx)
    const [video] = await runQuery<{ id: number; uuid: string; expired: boolean }>(
      sql`
      UPDATE videos SET forbidden_since = coalesce(forbidden_since, now()) WHERE url = ${url} AND remote AND gone_at IS NULL
        AND refreshed_at <= ${requestedAt}
      RETURNING id, uuid,
        forbidden_privacy IS NOT NULL AND forbidden_since < now() - ${sqlInterval(config.federation.videos.keep_gone)} AS expired`,
      tx
    )
    if (!video) return
    if (video.expired) return await deleteForbiddenVideo(video, url, tx)
    const together = await findForbiddenTogether(video.id, tx)
    if (together.isWholeServer) {
      await runQuery(
        sql`UPDATE videos SET privacy = forbidden_privacy, forbidden_privacy = NULL
          WHERE id = ANY(${together.ids}::int[]) AND forbidden_privacy IS NOT NULL`,
        tx
      )
      logger.warn('A server refuses many of its videos at once; none is hidden', { host, videos: together.ids.length })
      return
    }
    await runQuery(
      sql`UPDATE videos SET forbidden_privacy = privacy, privacy = ${VIDEO_PRIVACY.PRIVATE} WHERE id = ${video.id} AND forbidden_privacy IS NULL`,
      tx
    )
  })
}

/** Returns the videos of the same server that became forbidden within an hour of one, and whether they are too many for private ones. */
async function findForbiddenTogether(videoId: number, tx: Transaction): Promise<{ ids: number[]; isWholeServer: boolean }> {
  const { forbiddenWindow, maxForbidden, maxForbiddenShare } = VIDEO_FEDERATION
  const [row] = await runQuery<{ ids: number[]; total: number }>(
    sql`
    SELECT array_agg(other.id) FILTER (WHERE other.forbidden_since BETWEEN one.forbidden_since - ${sqlInterval(forbiddenWindow)}
        AND one.forbidden_since + ${sqlInterval(forbiddenWindow)}) AS ids, count(*)::int AS total
    FROM videos one JOIN channels c ON c.id = one.channel_id JOIN actors a ON a.id = c.actor_id
      JOIN actors of_host ON of_host.host = a.host JOIN channels d ON d.actor_id = of_host.id
      JOIN videos other ON other.channel_id = d.id AND other.gone_at IS NULL
    WHERE one.id = ${videoId}`,
    tx
  )
  const ids = row?.ids ?? []
  return { ids, isWholeServer: ids.length >= maxForbidden && ids.length > (row?.total ?? 0) * maxForbiddenShare }
}

/** Deletes a video with what people here wrote below it, as its origin has refused to show it for so long. */
async function deleteForbiddenVideo({ id, uuid }: { id: number; uuid: string }, url: string, tx: Transaction): Promise<void> {
  await addTombstone(url, tx)
  await runQuery(sql`DELETE FROM videos WHERE id = ${id}`, tx)
  afterCommit(tx, () => emitEvent('video.deleted', { uuid, folder: uuid }))
}

type Probe = { at: number; readable: Promise<boolean> }
const probes = new Map<string, Probe>()
const MAX_PROBES = 1000

/** Whether the instance actor of the server of a URL can be read now; the answer counts for a minute. */
async function isInstanceActorReadable(url: string): Promise<boolean> {
  const host = hostOf(url)
  const known = probes.get(host)
  if (known && known.at > Date.now() - VIDEO_FEDERATION.instanceProbeInterval) return await known.readable
  probes.delete(host)
  const readable = fetchInstanceActor(url, host)
  probes.set(host, { at: Date.now(), readable })
  if (probes.size > MAX_PROBES) probes.delete(probes.keys().next().value!)
  return await readable
}

async function fetchInstanceActor(url: string, host: string): Promise<boolean> {
  const [stored] = await runQuery<{ url: string }>(
    sql`SELECT url FROM actors WHERE host = ${host} AND type = 'Application' ORDER BY preferred_username = ${INSTANCE_ACTOR_NAME} DESC LIMIT 1`
  )
  try {
    await fetchRemoteDocument(stored?.url ?? `${originOf(url)}/accounts/${INSTANCE_ACTOR_NAME}`)
    return true
  } catch (error) {
    if (error instanceof FetchError) return false
    throw error
  }
}
