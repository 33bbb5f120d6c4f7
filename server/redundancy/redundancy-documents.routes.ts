import { Router } from 'express'
import { longUuid } from '../../shared/short-uuid.ts'
import { config, origin } from '../core/config.ts'
import { counted } from '../core/request-rate-limit.ts'
import { notFound } from '../core/problem.ts'
import { run, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR } from '../actors/instance-actor.ts'
import { sendDocument } from '../actors/activitypub-response.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { PUBLIC } from '../fediverse/vocabulary.ts'
import { cacheFileObject } from './redundancy.inbox.ts'

/** The CacheFiles of copies that this instance holds itself; PeerTube names the kind of playlist `hls` or `1`. */
export const redundancyDocumentsRouter = Router()
redundancyDocumentsRouter.get(
  ['/redundancy/streaming-playlists/hls/:uuid', '/redundancy/streaming-playlists/1/:uuid'],
  counted('activity_pub'),
  async (request, response, next) => {
    if (!config.federation.enabled) return next()
    const uuid = longUuid(String(request.params.uuid))
    const [copy] = uuid
      ? await run<{ url: string; video: string; base_url: string; expires_at: Date | null }>(sql`
    SELECT r.url, v.url AS video, r.base_url, r.expires_at FROM redundancies r JOIN videos v ON v.id = r.video_id JOIN actors a ON a.id = r.actor_id
    WHERE v.uuid = ${uuid} AND a.host IS NULL AND v.privacy = 1 AND (r.expires_at IS NULL OR r.expires_at > now())`)
      : []
    if (!copy) throw notFound('Video redundancy')
    const object = cacheFileObject({ url: copy.url, video: copy.video, baseUrl: copy.base_url, expires: copy.expires_at })
    sendDocument(response, withContext('cacheFile', { to: [PUBLIC], cc: [`${origin()}/accounts/${INSTANCE_ACTOR}/followers`], ...object }))
  }
)
