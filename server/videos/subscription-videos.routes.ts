import { subscriptionVideosContract } from '../../shared/follows.ts'
import { implementContract } from '../core/route.ts'
import { listVideos } from './videos.query.ts'

/** Routes of the videos of a user's subscriptions. */
export const subscriptionVideosRoutes = implementContract(subscriptionVideosContract, {
  'GET /users/me/subscriptions/videos': async ({ query, viewer }) => await listVideos(query, viewer, { followedBy: viewer.accountId })
})
