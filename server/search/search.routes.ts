import { searchContract } from '../../shared/search.ts'
import { implementContract } from '../core/route.ts'
import { searchChannels, searchVideos } from './search.ts'

/** The routes of shared/search.ts. */
export const searchRoutes = implementContract(searchContract, {
  'GET /search/videos': async ({ query, viewer }) => await searchVideos(query, viewer),
  'GET /search/video-channels': async ({ query, viewer }) => await searchChannels(query, viewer)
})
