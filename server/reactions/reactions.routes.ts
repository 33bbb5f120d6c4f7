import { Router } from 'express'
import { reactionsContract } from '../../shared/reactions.ts'
import { instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { notFound, Problem } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { sendActivityPubDocument } from '../actors/activitypub-response.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'
import { assertCanWatchVideo, findVideoAccessInfo } from '../videos/video-access.ts'
import { findAccount } from '../actors/accounts.query.ts'
import { paging } from '../core/paging.ts'
import { listRatings } from './ratings.query.ts'
import { rateVideo, findVideoRating, reactionActivity } from './reactions.ts'

/** Routes of the ratings of users. */
export const reactionsRoutes = implementContract(reactionsContract, {
  'PUT /videos/:id/rate': async ({ params, body, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    await assertCanWatchVideo(video, params.id, {
      viewer,
      password: request.headers['x-peertube-video-password'] as string | undefined,
      ip: request.ip
    })
    await rateVideo(video.id, viewer.accountId, body.rating)
  },
  'GET /users/me/videos/:id/rating': async ({ params, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    await assertCanWatchVideo(video, params.id, {
      viewer,
      password: request.headers['x-peertube-video-password'] as string | undefined,
      ip: request.ip
    })
    return { videoId: video.id, rating: await findVideoRating(video.id, viewer.accountId) }
  },
  'GET /accounts/:name/ratings': async ({ params, query: { rating, sort, ...rest }, viewer }) => {
    if ((await findAccount(params.name)).id !== viewer.accountId)
      throw new Problem(403, null, 'Only the owner of this account can manage this account resource.')
    return await listRatings(viewer, { ...paging(rest), rating, sort })
  }
})

/** Route of the ActivityPub documents of local reactions; other servers use it to check whether a reaction still exists. */
export const reactionDocumentsRouter = Router()
reactionDocumentsRouter.get(
  ['/accounts/:name/likes/:id', '/accounts/:name/dislikes/:id'],
  limitRate('activity_pub'),
  async (request, response) => {
    const url = instanceOrigin() + request.path
    const [row] = await runQuery<{ url: string; type: 'like' | 'dislike'; actor: string; video: string }>(sql`
    SELECT reactions.url, reactions.type, actors.url AS actor, videos.url AS video FROM reactions
      JOIN accounts ON accounts.id = reactions.account_id JOIN actors ON actors.id = accounts.actor_id
      JOIN videos ON videos.id = reactions.video_id
    WHERE reactions.url = ${url} AND actors.host IS NULL AND videos.privacy = 1 AND videos.state = 1`)
    if (!row) throw notFound('Rate')
    sendActivityPubDocument(
      response,
      withContext('base', { to: [AS_PUBLIC], cc: [`${row.actor}/followers`], ...reactionActivity(row, row.actor, row.video) })
    )
  }
)
