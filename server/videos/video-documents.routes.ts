import { Router, type Request, type RequestHandler, type Response } from 'express'
import { longUuid } from '../../shared/short-uuid.ts'
import { sendOrderedCollection, sendActivityPubDocument, acceptsActivityPub } from '../actors/activitypub-response.ts'
import { config, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { notFound } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { canonicalUrl } from '../fediverse/local-addresses.ts'
import { listChapters } from './chapters.ts'
import { buildQuoteAuthorization } from './quote-request.inbox.ts'
import { findVideoCollection } from './video-collections.ts'
import { videoAnnounceActivity, videoCreateActivity } from './video.outbox.ts'
import { serializeVideoObject } from './video-serializer.codec.ts'
import { isVideoServedToPeers, findLocalVideo, type LocalVideo } from './local-video.query.ts'

/**
 * Routes of the ActivityPub documents of videos; a request for HTML continues to the next route. A video that is not public or unlisted
 * is answered like one that does not exist (docs/federation.md#hidden-objects).
 */
export const videoDocumentsRouter = Router()

type VideoDocumentHandler = (video: LocalVideo, request: Request, response: Response) => Promise<void> | void

videoDocumentsRouter.get(
  ['/videos/watch/:id', '/w/:id'],
  documentRoute(({ object }, _request, response) => sendActivityPubDocument(response, withContext('video', serializeVideoObject(object))))
)
videoDocumentsRouter.get(
  '/videos/watch/:id/activity',
  documentRoute((video, _request, response) => sendActivityPubDocument(response, withContext('video', videoCreateActivity(video))), true)
)
videoDocumentsRouter.get(
  '/videos/watch/:id/chapters',
  documentRoute(async (video, _request, response) => {
    sendActivityPubDocument(
      response,
      withContext('chapters', {
        id: `${video.object.id}/chapters`,
        hasPart: chapterParts(await listChapters(video.id), video.object.duration)
      })
    )
  }, true)
)
videoDocumentsRouter.get(
  '/videos/watch/:id/announces/:actorId',
  documentRoute(async (video, request, response) => {
    const [share] = await runQuery<{ url: string; actor: string }>(sql`
    SELECT s.url, a.url AS actor FROM video_shares s JOIN actors a ON a.id = s.actor_id WHERE s.video_id = ${video.id}
      AND s.url = ${`${video.object.id}/announces/${String(request.params.actorId)}`}`)
    if (!share) throw notFound('Video share')
    sendActivityPubDocument(response, withContext('base', videoAnnounceActivity(video, share)))
  }, true)
)
videoDocumentsRouter.get(
  '/videos/watch/:id/quote-authorizations/:quoteId',
  documentRoute(async (video, request, response) => {
    const { quoteId } = request.params as { quoteId: string }
    const document = /^[1-9]\d{0,8}$/.test(quoteId)
      ? await buildQuoteAuthorization({ id: video.id, url: video.object.id, owner: video.object.account! }, Number(quoteId))
      : null
    if (!document) throw notFound('Quote authorization')
    sendActivityPubDocument(response, withContext('quoteAuthorization', document))
  }, true)
)
for (const name of ['likes', 'dislikes', 'announces', 'comments', 'replies'] as const) {
  videoDocumentsRouter.get(
    `/videos/watch/:id/${name}`,
    documentRoute(async (video, request, response) => {
      const query = name === 'announces' ? announcesQuery(video.id) : findVideoCollection(name)({ id: video.id, url: video.object.id })
      await sendOrderedCollection(request, response, `${video.object.id}/${name}`, query)
    }, true)
  )
}

/**
 * Returns the request handlers of a document. `hasNoPage`: the URL serves only the document, so the Accept header does not matter. Remote
 * videos are redirected to their origin.
 */
function documentRoute(handler: VideoDocumentHandler, hasNoPage = false): RequestHandler[] {
  return [
    (request, _response, next) => next(config.federation.enabled && (hasNoPage || acceptsActivityPub(request)) ? undefined : 'route'),
    limitRate('activity_pub'),
    async (request, response) => await handleDocumentRequest(handler, request, response)
  ]
}

async function handleDocumentRequest(handler: VideoDocumentHandler, request: Request, response: Response): Promise<void> {
  response.setHeader('Vary', 'Accept')
  response.setHeader('Access-Control-Allow-Origin', '*')
  const uuid = longUuid(String(request.params.id))
  if (!uuid) {
    const address = `${instanceOrigin()}/w/${String(request.params.id)}`
    const url = await canonicalUrl(address)
    if (url === address) throw notFound('Video')
    return response.redirect(302, url)
  }
  const video = await findLocalVideo(uuid)
  if (!video) {
    const [remote] = await runQuery<{ url: string }>(sql`SELECT url FROM videos WHERE uuid = ${uuid} AND remote AND gone_at IS NULL
      AND forbidden_privacy IS NULL`)
    if (!remote) throw notFound('Video')
    return response.redirect(302, remote.url)
  }
  if (!isVideoServedToPeers(video)) throw notFound('Video')
  await handler(video, request, response)
}

function announcesQuery(videoId: number) {
  return async (start: number, count: number) => {
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM video_shares WHERE video_id = ${videoId}`)
    const rows = await runQuery<{ url: string }>(
      sql`SELECT url FROM video_shares WHERE video_id = ${videoId} ORDER BY id DESC LIMIT ${count} OFFSET ${start}`
    )
    return { total: row!.total, items: rows.map(({ url }) => url) }
  }
}

function chapterParts(chapters: { timecode: number; title: string }[], duration: number): object[] {
  return chapters.map(({ timecode, title }, index) => ({
    name: title,
    startOffset: timecode,
    endOffset: chapters[index + 1]?.timecode ?? duration
  }))
}
