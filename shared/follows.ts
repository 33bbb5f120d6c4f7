import { z } from 'zod'
import { actorHandle, ActorImage, Channel, ActorHandle, FullActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { arrayParam, resultList, Paging, Timestamp, uniqueItems } from './fields.ts'
import { hostParam, isHost } from './hosts.ts'
import { VideoList, VideoQuery } from './videos.ts'

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
const FollowerQuery = Paging.extend({
  search: z.string().max(200).optional(),
  sort: z.enum(['createdAt', '-createdAt'], 'Invalid value').optional()
})
/** `createdAt`: of the subscription; `channelUpdatedAt`: when the channel last published or changed. */
const SubscriptionQuery = FollowerQuery.extend({
  sort: z.enum(['id', '-id', 'createdAt', '-createdAt', 'channelUpdatedAt', '-channelUpdatedAt'], 'Invalid value').optional()
})
const HOSTS_MESSAGE = 'Should have an array of unique hosts'
const HANDLES_MESSAGE = 'Should have an array of unique handles (name@host)'
const lowerCase = (text: string) => text.toLowerCase().replace(/^@/, '')
const SubscriptionUri = actorHandle(true, 'Should have a valid URI to follow (username@domain)')
const SubscriptionParam = z.object({ uri: SubscriptionUri })
const FollowerParam = z.object({ handle: FullActorHandle })

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
    body: z
      .object({
        hosts: uniqueItems(z.array(hostParam(HOSTS_MESSAGE), HOSTS_MESSAGE).max(100, HOSTS_MESSAGE), HOSTS_MESSAGE, lowerCase).optional(),
        handles: uniqueItems(
          z.array(actorHandle(true, HANDLES_MESSAGE), HANDLES_MESSAGE).max(100, HANDLES_MESSAGE),
          HANDLES_MESSAGE,
          lowerCase
        ).optional()
      })
      .refine(({ hosts, handles }) => (hosts?.length ?? 0) + (handles?.length ?? 0) > 0, {
        path: ['hosts'],
        message: 'Should have a host or a handle to follow'
      })
  },
  'DELETE /server/following/:hostOrHandle': {
    summary: 'Unfollow',
    tag: 'Federation',
    auth: 'admin',
    params: z.object({
      hostOrHandle: z
        .string()
        .refine(text => isHost(text) || FullActorHandle.safeParse(text).success, 'Should have a valid host or handle (name@host)')
    })
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
    body: SubscriptionParam
  },
  'GET /users/me/subscriptions/exist': {
    summary: 'Which of these channels I follow',
    tag: 'Subscriptions',
    auth: 'user',
    query: z.object({ uris: arrayParam(SubscriptionUri) }),
    response: z.record(z.string(), z.boolean())
  },
  'GET /users/me/subscriptions/:uri': {
    summary: 'One of my subscriptions',
    tag: 'Subscriptions',
    auth: 'user',
    params: SubscriptionParam,
    response: Channel
  },
  'DELETE /users/me/subscriptions/:uri': {
    summary: 'Unsubscribe from a channel',
    tag: 'Subscriptions',
    auth: 'user',
    params: SubscriptionParam
  },
  'GET /accounts/:name/followers': {
    summary: 'Followers of my account and its channels',
    tag: 'Accounts',
    auth: 'user',
    params: z.object({ name: ActorHandle }),
    query: FollowerQuery,
    response: resultList(ActorFollow),
    refusals: { 403: 'The account belongs to another user' }
  },
  'GET /video-channels/:channelHandle/followers': {
    summary: 'Followers of one of my channels',
    tag: 'Channels',
    auth: 'user',
    params: z.object({ channelHandle: ActorHandle }),
    query: FollowerQuery,
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
    response: VideoList
  }
})
