import { subscriptionVideos } from '../../shared/follows.ts'
import { implement } from '../core/route.ts'
import { listVideos } from './videos.query.ts'

/** The videos of what a user follows. */
export const subscriptionVideosRoutes = implement(subscriptionVideos, {
  'GET /users/me/subscriptions/videos': async ({ query, viewer }) => await listVideos(query, viewer, { followedBy: viewer.accountId })
})
