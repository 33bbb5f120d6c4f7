import { Router } from 'express'
import { reactions } from '../../shared/reactions.ts'
import { origin } from '../core/config.ts'
import { counted } from '../core/request-rate-limit.ts'
import { notFound } from '../core/problem.ts'
import { implement } from '../core/route.ts'
import { run, sql } from '../core/sql.ts'
import { sendDocument } from '../actors/activitypub-response.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { PUBLIC } from '../fediverse/vocabulary.ts'
import { assertMayWatch, guardedVideo } from '../videos/video-access.ts'
import { rate, ratingOf, reactionActivity } from './reactions.ts'

/** Likes and dislikes. */
export const reactionsRoutes = implement(reactions, {
  'PUT /videos/:id/rate': async ({ params, body, viewer, request }) => {
    const video = await guardedVideo(params.id)
    await assertMayWatch(video, params.id, {
      viewer,
      password: request.headers['x-peertube-video-password'] as string | undefined,
      ip: request.ip
    })
    await rate(video.id, viewer.accountId, body.rating)
  },
  'GET /users/me/videos/:id/rating': async ({ params, viewer }) => {
    const { id } = await guardedVideo(params.id)
    return { videoId: id, rating: await ratingOf(id, viewer.accountId) }
  }
})

/** What other servers ask now and then: whether a reaction still stands. */
export const reactionDocumentsRouter = Router()
reactionDocumentsRouter.get(
  ['/accounts/:name/likes/:id', '/accounts/:name/dislikes/:id'],
  counted('activity_pub'),
  async (request, response) => {
    const url = origin() + request.path
    const [row] = await run<{ url: string; type: 'like' | 'dislike'; actor: string; video: string }>(sql`
    SELECT reactions.url, reactions.type, actors.url AS actor, videos.url AS video FROM reactions JOIN accounts ON accounts.id = reactions.account_id JOIN actors ON actors.id = accounts.actor_id JOIN videos ON videos.id = reactions.video_id
    WHERE reactions.url = ${url} AND actors.host IS NULL AND videos.privacy = 1`)
    if (!row) throw notFound('Rate')
    sendDocument(
      response,
      withContext('base', { to: [PUBLIC], cc: [`${row.actor}/followers`], ...reactionActivity(row, row.actor, row.video) })
    )
  }
)
