import { z } from 'zod'
import { Channel, Handle } from './actors.ts'
import { contract } from './contract.ts'
import { DateTime, int, list, page, Paging } from './fields.ts'
import { Video, VideoQuery, VideoSort } from './videos.ts'

const Target = z.literal('local', 'Invalid value').optional()
const Words = z.string().max(2000)

/** Search by words, and by the address or the handle of what lies on another server: it is fetched from there. */
export const search = contract({
  'GET /search/videos': {
    summary: 'Search for videos',
    description: '`search` is words, or the address of a video; one of another server is fetched for those who may (`search.remote_uri`).',
    tag: 'Search',
    auth: 'optional',
    query: VideoQuery.extend({
      search: Words.optional(),
      searchTarget: Target,
      sort: z.union([VideoSort, z.enum(['match', '-match'])], 'Invalid value').optional(),
      uuids: list(z.uuid()).optional(),
      startDate: DateTime.optional(),
      endDate: DateTime.optional(),
      originallyPublishedStartDate: DateTime.optional(),
      originallyPublishedEndDate: DateTime.optional(),
      durationMin: int(0, 2 ** 31 - 1).optional(),
      durationMax: int(0, 2 ** 31 - 1).optional()
    }),
    response: page(Video)
  },
  'GET /search/video-channels': {
    summary: 'Search for channels',
    description: '`search` is words, or the address or handle (`name@host`) of a channel.',
    tag: 'Search',
    auth: 'optional',
    query: Paging.extend({
      search: Words.optional(),
      searchTarget: Target,
      sort: z.enum(['match', '-match', 'createdAt', '-createdAt'], 'Invalid value').optional(),
      host: z.string().max(255).optional(),
      handles: list(Handle, 100).optional()
    }),
    response: page(Channel)
  }
})
