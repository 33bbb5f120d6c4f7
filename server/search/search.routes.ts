import { search } from '../../shared/search.ts'
import { implement } from '../core/route.ts'
import { searchChannels, searchVideos } from './search.ts'

/** The routes of shared/search.ts. */
export const searchRoutes = implement(search, {
  'GET /search/videos': async ({ query, viewer }) => await searchVideos(query, viewer),
  'GET /search/video-channels': async ({ query, viewer }) => await searchChannels(query, viewer)
})
