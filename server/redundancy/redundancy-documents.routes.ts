import { Router } from 'express'
import { longUuid } from '../../shared/short-uuid.ts'
import { config, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { notFound } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { sendActivityPubDocument } from '../actors/activitypub-response.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'
import { serializeCacheFile } from './redundancy.inbox.ts'

/** Routes of the CacheFiles of copies that this instance holds; PeerTube writes the kind of playlist in the path as `hls` or `1`. */
export const redundancyDocumentsRouter = Router()
redundancyDocumentsRouter.get(
  ['/redundancy/streaming-playlists/hls/:uuid', '/redundancy/streaming-playlists/1/:uuid'],
  limitRate('activity_pub'),
  async (request, response, next) => {
    if (!config.federation.enabled) return next()
    const uuid = longUuid(String(request.params.uuid))
    const [copy] = uuid
      ? await runQuery<{ url: string; video: string; base_url: string; expires_at: Date | null }>(sql`
    SELECT r.url, v.url AS video, r.base_url, r.expires_at FROM redundancies r JOIN videos v ON v.id = r.video_id
      JOIN actors a ON a.id = r.actor_id
    WHERE v.uuid = ${uuid} AND a.host IS NULL AND v.privacy = 1 AND v.state = 1 AND (r.expires_at IS NULL OR r.expires_at > now())`)
      : []
    if (!copy) throw notFound('Video redundancy')
    const object = serializeCacheFile({ url: copy.url, video: copy.video, baseUrl: copy.base_url, expires: copy.expires_at })
    sendActivityPubDocument(
      response,
      withContext('cacheFile', { to: [AS_PUBLIC], cc: [`${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}/followers`], ...object })
    )
  }
)
