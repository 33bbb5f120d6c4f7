import { z } from 'zod'
import { defineContract } from './contract.ts'
import { VideoParam } from './videos.ts'

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
  }
})
