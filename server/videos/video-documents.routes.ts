import { Router, type Request, type RequestHandler, type Response } from 'express'
import { longUuid } from '../../shared/short-uuid.ts'
import { sendOrderedCollection, sendActivityPubDocument, acceptsActivityPub } from '../actors/activitypub-response.ts'
import { config } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { notFound } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { listChapters } from './chapters.ts'
import { findVideoCollection } from './video-collections.ts'
import { videoAnnounceActivity, videoCreateActivity } from './video.outbox.ts'
import { serializeVideoObject } from './video-serializer.codec.ts'
import { isVideoServedToPeers, findLocalVideo, type LocalVideo } from './local-video.query.ts'

/**
 * What other servers read of videos; who wants a page goes on. What is not open to everybody is not told from what does not exist
 * (docs/federation.md#hidden-objects).
 */
export const videoDocumentsRouter = Router()

type Handler = (video: LocalVideo, request: Request, response: Response) => Promise<void> | void

videoDocumentsRouter.get(
  ['/videos/watch/:id', '/w/:id'],
  documents(({ object }, _request, response) => sendActivityPubDocument(response, withContext('video', serializeVideoObject(object))))
)
videoDocumentsRouter.get(
  '/videos/watch/:id/activity',
  documents((video, _request, response) => sendActivityPubDocument(response, withContext('video', videoCreateActivity(video))), true)
)
videoDocumentsRouter.get(
  '/videos/watch/:id/chapters',
  documents(async (video, _request, response) => {
    sendActivityPubDocument(
      response,
      withContext('chapters', { id: `${video.object.id}/chapters`, hasPart: parts(await listChapters(video.id), video.object.duration) })
    )
  }, true)
)
videoDocumentsRouter.get(
  '/videos/watch/:id/announces/:actorId',
  documents(async (video, request, response) => {
    const [share] = await runQuery<{ url: string; actor: string }>(sql`
    SELECT s.url, a.url AS actor FROM video_shares s JOIN actors a ON a.id = s.actor_id WHERE s.video_id = ${video.id} AND s.url = ${`${video.object.id}/announces/${String(request.params.actorId)}`}`)
    if (!share) throw notFound('Video share')
    sendActivityPubDocument(response, withContext('base', videoAnnounceActivity(video, share)))
  }, true)
)
for (const name of ['likes', 'dislikes', 'announces', 'comments'] as const) {
  videoDocumentsRouter.get(
    `/videos/watch/:id/${name}`,
    documents(async (video, request, response) => {
      const part = name === 'announces' ? shares(video.id) : findVideoCollection(name)({ id: video.id, url: video.object.id })
      await sendOrderedCollection(request, response, `${video.object.id}/${name}`, part)
    }, true)
  )
}

/**
 * Finds the video of a path for those who ask for documents (`always`: there is no page at this address). Remote ones are at their origin.
 */
function documents(handler: Handler, always = false): RequestHandler[] {
  return [
    (request, _response, next) => next(config.federation.enabled && (always || acceptsActivityPub(request)) ? undefined : 'route'),
    limitRate('activity_pub'),
    async (request, response) => await serve(handler, request, response)
  ]
}

async function serve(handler: Handler, request: Request, response: Response): Promise<void> {
  response.setHeader('Vary', 'Accept')
  response.setHeader('Access-Control-Allow-Origin', '*')
  const uuid = longUuid(String(request.params.id))
  if (!uuid) throw notFound('Video')
  const video = await findLocalVideo(uuid)
  if (!video) {
    const [remote] = await runQuery<{ url: string }>(sql`SELECT url FROM videos WHERE uuid = ${uuid} AND remote AND gone_at IS NULL`)
    if (!remote) throw notFound('Video')
    return response.redirect(302, remote.url)
  }
  if (!isVideoServedToPeers(video)) throw notFound('Video')
  await handler(video, request, response)
}

function shares(videoId: number) {
  return async (start: number, count: number) => {
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM video_shares WHERE video_id = ${videoId}`)
    const rows = await runQuery<{ url: string }>(
      sql`SELECT url FROM video_shares WHERE video_id = ${videoId} ORDER BY id DESC LIMIT ${count} OFFSET ${start}`
    )
    return { total: row!.total, items: rows.map(({ url }) => url) }
  }
}

function parts(chapters: { timecode: number; title: string }[], duration: number): object[] {
  return chapters.map(({ timecode, title }, place) => ({
    name: title,
    startOffset: timecode,
    endOffset: chapters[place + 1]?.timecode ?? duration
  }))
}
