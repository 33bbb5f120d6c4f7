import { z } from 'zod'
import { ActorImage, Channel, ActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { arrayParam, resultList, Paging, Timestamp } from './fields.ts'
import { Video, VideoQuery } from './videos.ts'

const FollowState = z.enum(['pending', 'accepted', 'rejected'], 'Invalid value')
const FollowActor = z.object({
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

/** A follow between two actors. */
export const ActorFollow = z.object({
  id: z.int(),
  follower: FollowActor,
  following: FollowActor,
  score: z.int(),
  state: FollowState,
  createdAt: Timestamp,
  updatedAt: Timestamp
})
export type ActorFollow = z.output<typeof ActorFollow>

/** An actor to follow that is not resolved yet; without `nextTryAt` it is not tried again. */
export const UnresolvedFollow = z.object({
  handle: z.string(),
  attempts: z.int(),
  error: z.string().nullable(),
  nextTryAt: Timestamp.nullable(),
  createdAt: Timestamp
})
export type UnresolvedFollow = z.output<typeof UnresolvedFollow>

const FollowQuery = Paging.extend({
  state: FollowState.optional(),
  actorType: z.enum(['Application', 'Person', 'Group', 'Service', 'Organization'], 'Invalid value').optional(),
  search: z.string().max(200).optional(),
  sort: z
    .enum(['createdAt', '-createdAt', 'state', '-state', 'score', '-score', 'redundancyAllowed', '-redundancyAllowed'], 'Invalid value')
    .optional()
})
const SubscriptionQuery = Paging.extend({
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
const FollowerParam = z.object({ handle: ActorHandle })

/** Routes for follows of instances, channels and accounts. */
export const followsContract = defineContract({
  'GET /server/followers': {
    summary: 'Followers of this instance',
    tag: 'Federation',
    query: FollowQuery,
    response: resultList(ActorFollow)
  },
  'GET /server/following': {
    summary: 'Actors this instance follows',
    tag: 'Federation',
    query: FollowQuery,
    response: resultList(ActorFollow)
  },
  'GET /server/following/wanted': {
    summary: 'Actors to follow that are not resolved yet',
    tag: 'Federation',
    auth: 'admin',
    query: Paging,
    response: resultList(UnresolvedFollow)
  },
  'POST /server/following': {
    summary: 'Follow instances (hosts), or channels and accounts (handles)',
    description: 'Actors that cannot be reached now are retried.',
    tag: 'Federation',
    auth: 'admin',
    body: z.object({
      hosts: z.array(Host, 'Should have an array of unique hosts').max(100).optional(),
      handles: z.array(Uri).max(100).optional()
    })
  },
  'DELETE /server/following/:hostOrHandle': {
    summary: 'Unfollow',
    tag: 'Federation',
    auth: 'admin',
    params: z.object({ hostOrHandle: z.string().max(400) })
  },
  'DELETE /server/followers/:handle': { summary: 'Remove a follower', tag: 'Federation', auth: 'admin', params: FollowerParam },
  'POST /server/followers/:handle/accept': { summary: 'Accept a follower', tag: 'Federation', auth: 'admin', params: FollowerParam },
  'POST /server/followers/:handle/reject': { summary: 'Reject a follower', tag: 'Federation', auth: 'admin', params: FollowerParam }
})

/** Routes for the subscriptions of a user. */
export const subscriptionsContract = defineContract({
  'GET /users/me/subscriptions': {
    summary: 'My subscriptions',
    tag: 'Subscriptions',
    auth: 'user',
    query: SubscriptionQuery,
    response: resultList(Channel)
  },
  'POST /users/me/subscriptions': {
    summary: 'Subscribe to a channel',
    description: '`uri` is `name@host`; a remote channel is resolved at its server.',
    tag: 'Subscriptions',
    auth: 'user',
    body: z.object({ uri: Uri })
  },
  'GET /users/me/subscriptions/exist': {
    summary: 'Which of these channels I follow',
    tag: 'Subscriptions',
    auth: 'user',
    query: z.object({ uris: arrayParam(z.string().max(400)) }),
    response: z.record(z.string(), z.boolean())
  },
  'GET /users/me/subscriptions/:uri': {
    summary: 'One of my subscriptions',
    tag: 'Subscriptions',
    auth: 'user',
    params: z.object({ uri: z.string().max(400) }),
    response: Channel
  },
  'DELETE /users/me/subscriptions/:uri': {
    summary: 'Unsubscribe from a channel',
    tag: 'Subscriptions',
    auth: 'user',
    params: z.object({ uri: z.string().max(400) })
  },
  'GET /accounts/:name/followers': {
    summary: 'Followers of my account and its channels',
    tag: 'Accounts',
    auth: 'user',
    params: z.object({ name: ActorHandle }),
    query: SubscriptionQuery,
    response: resultList(ActorFollow),
    refusals: { 403: 'The account belongs to another user' }
  },
  'GET /video-channels/:channelHandle/followers': {
    summary: 'Followers of one of my channels',
    tag: 'Channels',
    auth: 'user',
    params: z.object({ channelHandle: ActorHandle }),
    query: SubscriptionQuery,
    response: resultList(ActorFollow)
  }
})

/** Routes for the videos of a user's subscriptions. */
export const subscriptionVideosContract = defineContract({
  'GET /users/me/subscriptions/videos': {
    summary: 'Newest videos of the channels I follow',
    tag: 'Subscriptions',
    auth: 'user',
    query: VideoQuery,
    response: resultList(Video)
  }
})
