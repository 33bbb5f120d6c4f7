import { z } from 'zod'
import { ActorImage, Channel, ActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { arrayParam, resultList, Paging, Timestamp } from './fields.ts'
import { Video, VideoQuery } from './videos.ts'

const State = z.enum(['pending', 'accepted', 'rejected'], 'Invalid value')
const Side = z.object({
  id: z.int(),
  url: z.string(),
  name: z.string(),
  host: z.string(),
  avatars: z.array(ActorImage),
  banners: z.array(ActorImage),
  hostRedundancyAllowed: z.boolean(),
  followingCount: z.int(),
  followersCount: z.int(),
  createdAt: Timestamp
})

/** Somebody who follows somebody. */
export const ActorFollow = z.object({
  id: z.int(),
  follower: Side,
  following: Side,
  score: z.int(),
  state: State,
  createdAt: Timestamp,
  updatedAt: Timestamp
})
export type ActorFollow = z.output<typeof ActorFollow>

/** Somebody who is to be followed and was not found yet; without `nextTryAt` there is nobody of that name. */
export const UnresolvedFollow = z.object({
  handle: z.string(),
  attempts: z.int(),
  error: z.string().nullable(),
  nextTryAt: Timestamp.nullable(),
  createdAt: Timestamp
})
export type UnresolvedFollow = z.output<typeof UnresolvedFollow>

const FollowQuery = Paging.extend({
  state: State.optional(),
  actorType: z.enum(['Application', 'Person', 'Group', 'Service', 'Organization'], 'Invalid value').optional(),
  search: z.string().max(200).optional(),
  sort: z
    .enum(['createdAt', '-createdAt', 'state', '-state', 'score', '-score', 'redundancyAllowed', '-redundancyAllowed'], 'Invalid value')
    .optional()
})
const Search = Paging.extend({
  search: z.string().max(200).optional(),
  sort: z.enum(['createdAt', '-createdAt'], 'Invalid value').optional()
})
const Host = z
  .string('Should have an array of unique hosts')
  .regex(
    /^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:\d{1,5})?$/i,
    'Should have an array of unique hosts'
  )
const Uri = z.string('Should have a valid URI to follow').regex(/^@?[\w.-]{1,120}@[\w.:[\]-]{1,255}$/, 'Should have a valid URI to follow')
const Somebody = z.object({ handle: ActorHandle })

/** Who follows whom: instances, channels, accounts. */
export const followsContract = defineContract({
  'GET /server/followers': {
    summary: 'Who follows this instance',
    tag: 'Federation',
    query: FollowQuery,
    response: resultList(ActorFollow)
  },
  'GET /server/following': {
    summary: 'Whom this instance follows',
    tag: 'Federation',
    query: FollowQuery,
    response: resultList(ActorFollow)
  },
  'GET /server/following/wanted': {
    summary: 'Whom this instance would follow and has not found yet',
    tag: 'Federation',
    auth: 'admin',
    query: Paging,
    response: resultList(UnresolvedFollow)
  },
  'POST /server/following': {
    summary: 'Follow instances (hosts), or channels and accounts (handles)',
    description: 'Whoever cannot be reached now is looked for again.',
    tag: 'Federation',
    auth: 'admin',
    body: z.object({
      hosts: z.array(Host, 'Should have an array of unique hosts').max(100).optional(),
      handles: z.array(Uri).max(100).optional()
    })
  },
  'DELETE /server/following/:hostOrHandle': {
    summary: 'Follow no longer',
    tag: 'Federation',
    auth: 'admin',
    params: z.object({ hostOrHandle: z.string().max(400) })
  },
  'DELETE /server/followers/:handle': { summary: 'Send a follower away', tag: 'Federation', auth: 'admin', params: Somebody },
  'POST /server/followers/:handle/accept': { summary: 'Accept a follower', tag: 'Federation', auth: 'admin', params: Somebody },
  'POST /server/followers/:handle/reject': { summary: 'Reject a follower', tag: 'Federation', auth: 'admin', params: Somebody }
})

/** What a user follows. */
export const subscriptionsContract = defineContract({
  'GET /users/me/subscriptions': {
    summary: 'Channels I follow',
    tag: 'Subscriptions',
    auth: 'user',
    query: Search,
    response: resultList(Channel)
  },
  'POST /users/me/subscriptions': {
    summary: 'Follow a channel',
    description: '`uri` is `name@host`; a channel of another server is looked for there.',
    tag: 'Subscriptions',
    auth: 'user',
    body: z.object({ uri: Uri })
  },
  'GET /users/me/subscriptions/exist': {
    summary: 'Which of these I follow',
    tag: 'Subscriptions',
    auth: 'user',
    query: z.object({ uris: arrayParam(z.string().max(400)) }),
    response: z.record(z.string(), z.boolean())
  },
  'GET /users/me/subscriptions/:uri': {
    summary: 'One channel I follow',
    tag: 'Subscriptions',
    auth: 'user',
    params: z.object({ uri: z.string().max(400) }),
    response: Channel
  },
  'DELETE /users/me/subscriptions/:uri': {
    summary: 'Follow a channel no longer',
    tag: 'Subscriptions',
    auth: 'user',
    params: z.object({ uri: z.string().max(400) })
  },
  'GET /accounts/:name/followers': {
    summary: 'Who follows my account or one of its channels',
    tag: 'Accounts',
    auth: 'user',
    params: z.object({ name: ActorHandle }),
    query: Search,
    response: resultList(ActorFollow),
    refusals: { 403: 'It is somebody else’s account' }
  },
  'GET /video-channels/:channelHandle/followers': {
    summary: 'Who follows a channel of mine',
    tag: 'Channels',
    auth: 'user',
    params: z.object({ channelHandle: ActorHandle }),
    query: Search,
    response: resultList(ActorFollow)
  }
})

/** The videos of what a user follows. */
export const subscriptionVideosContract = defineContract({
  'GET /users/me/subscriptions/videos': {
    summary: 'Newest videos of the channels I follow',
    tag: 'Subscriptions',
    auth: 'user',
    query: VideoQuery,
    response: resultList(Video)
  }
})
