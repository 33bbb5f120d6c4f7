import { z } from 'zod'
import { Channel, ActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { DateTime, int, arrayParam, resultList, Paging } from './fields.ts'
import { Video, VideoQuery, VideoSort } from './videos.ts'

const Target = z.literal('local', 'Invalid value').optional()
const Words = z.string().max(2000)

/** Search by words, and by the address or the handle of what lies on another server: it is fetched from there. */
export const searchContract = defineContract({
  'GET /search/videos': {
    summary: 'Search for videos',
    description: '`search` is words, or the address of a video; one of another server is fetched for those who may (`search.remote_uri`).',
    tag: 'Search',
    auth: 'optional',
    query: VideoQuery.extend({
      search: Words.optional(),
      searchTarget: Target,
      sort: z.union([VideoSort, z.enum(['match', '-match'])], 'Invalid value').optional(),
      uuids: arrayParam(z.uuid()).optional(),
      startDate: DateTime.optional(),
      endDate: DateTime.optional(),
      originallyPublishedStartDate: DateTime.optional(),
      originallyPublishedEndDate: DateTime.optional(),
      durationMin: int(0, 2 ** 31 - 1).optional(),
      durationMax: int(0, 2 ** 31 - 1).optional()
    }),
    response: resultList(Video)
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
      handles: arrayParam(ActorHandle, 100).optional()
    }),
    response: resultList(Channel)
  }
})
