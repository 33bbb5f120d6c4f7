import { z } from 'zod'
import { Channel, ActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { DateTime, int, arrayParam, resultList, Paging, Uuid } from './fields.ts'
import { hostParam } from './hosts.ts'
import { VideoList, VideoQuery, VideoSort } from './videos.ts'

const SearchTarget = z.literal('local', 'Invalid value').optional()
const SearchText = z.string().max(2000)

/**
 * Why the URL of a search leads to no video: it may not be fetched for this user, its server does not show it, no longer has it or does not
 * answer, its document is not valid, is of something else, has nothing that can be played, is not public, or is a reply.
 */
export const SearchRefusal = z.enum([
  'not_allowed',
  'forbidden',
  'not_found',
  'unreachable',
  'invalid',
  'not_a_video',
  'no_media',
  'not_public',
  'reply'
])
export type SearchRefusal = z.output<typeof SearchRefusal>

/** Routes for the search by text, and by the URL or handle of a remote object, which is fetched from its server. */
export const searchContract = defineContract({
  'GET /search/videos': {
    summary: 'Search for videos',
    description:
      '`search` is text, or the URL of a video, which may be unlisted, or of a post with a video; it is fetched for users who may (`search.remote_uri`). `refusal` says why the URL leads to no video.',
    tag: 'Search',
    auth: 'optional',
    query: VideoQuery.extend({
      search: SearchText.optional(),
      searchTarget: SearchTarget,
      sort: z.union([VideoSort, z.enum(['match', '-match'])], 'Invalid value').optional(),
      uuids: arrayParam(Uuid).optional(),
      startDate: DateTime.optional(),
      endDate: DateTime.optional(),
      originallyPublishedStartDate: DateTime.optional(),
      originallyPublishedEndDate: DateTime.optional(),
      durationMin: int(0, 2 ** 31 - 1).optional(),
      durationMax: int(0, 2 ** 31 - 1).optional()
    }),
    response: VideoList.extend({ refusal: SearchRefusal.optional() })
  },
  'GET /search/video-channels': {
    summary: 'Search for channels',
    description: '`search` is text, or the URL or handle of a channel: `name@host`, also with `@`, `!` or `acct:` in front.',
    tag: 'Search',
    auth: 'optional',
    query: Paging.extend({
      search: SearchText.optional(),
      searchTarget: SearchTarget,
      sort: z.enum(['match', '-match', 'displayName', '-displayName', 'createdAt', '-createdAt'], 'Invalid value').optional(),
      host: hostParam().optional(),
      handles: arrayParam(ActorHandle, 100).optional()
    }),
    response: resultList(Channel)
  }
})
