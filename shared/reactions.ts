import { z } from 'zod'
import { defineContract } from './contract.ts'
import { ActorHandle } from './actors.ts'
import { Paging, resultList } from './fields.ts'
import { Video, VideoParam } from './videos.ts'

/** Routes for likes and dislikes. */
export const reactionsContract = defineContract({
  'PUT /videos/:id/rate': {
    summary: 'Like or dislike a video, or remove the rating',
    tag: 'Reactions',
    auth: 'user',
    params: VideoParam,
    body: z.object({ rating: z.enum(['like', 'dislike', 'none'], 'Invalid value') })
  },
  'GET /users/me/videos/:id/rating': {
    summary: 'My rating of a video',
    tag: 'Reactions',
    auth: 'user',
    params: VideoParam,
    response: z.object({ videoId: z.int(), rating: z.enum(['like', 'dislike', 'none']) })
  },
  'GET /accounts/:name/ratings': {
    summary: 'The videos that my account rated',
    tag: 'Reactions',
    auth: 'user',
    params: z.object({ name: ActorHandle }),
    query: Paging.extend({
      rating: z.enum(['like', 'dislike'], 'Invalid value').optional(),
      sort: z.enum(['createdAt', '-createdAt'], 'Invalid value').optional()
    }),
    response: resultList(z.object({ video: Video, rating: z.enum(['like', 'dislike']) })),
    refusals: { 403: 'It is the account of another user' }
  }
})
