import { z } from 'zod'
import { ActorImage, Channel, ActorHandle, localActorName } from './actors.ts'
import { defineContract } from './contract.ts'
import { Bool, resultList, Paging, textOrNull, Timestamp } from './fields.ts'

const DisplayName = z.string('Invalid value').min(1, 'Invalid value').max(120, 'Invalid value')
const ChannelName = localActorName(50, 'Invalid value')
const ChannelParam = z.object({ channelHandle: ActorHandle })
const ChannelFields = {
  displayName: DisplayName,
  description: textOrNull(3, 1000).optional(),
  support: textOrNull(3, 1000).optional()
}

/** A channel in lists, with optional statistics for its owner. */
const ChannelWithStats = Channel.extend({
  videosCount: z.int().optional(),
  totalViews: z.int().optional(),
  viewsPerDay: z.array(z.object({ date: Timestamp, views: z.int() })).optional()
})

/** Routes for channels. */
export const channelsContract = defineContract({
  'GET /video-channels': {
    summary: 'All channels of this instance',
    tag: 'Channels',
    query: Paging.extend({
      sort: z
        .enum(
          ['id', '-id', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt', 'name', '-name', 'displayName', '-displayName'],
          'Invalid value'
        )
        .optional()
    }),
    response: resultList(Channel),
    cache: true
  },
  'POST /video-channels': {
    summary: 'Create a channel',
    tag: 'Channels',
    auth: 'user',
    body: z.object({ name: ChannelName, ...ChannelFields }),
    response: z.object({ videoChannel: z.object({ id: z.int() }) }),
    refusals: { 409: 'The name is or was in use' }
  },
  'GET /users/me/channel-names/:name': {
    summary: 'Whether a channel can have this name',
    description: 'False if an account or channel has or had this name.',
    tag: 'Channels',
    auth: 'user',
    params: z.object({ name: ChannelName }),
    response: z.object({ free: z.boolean() })
  },
  'GET /video-channels/:channelHandle': { summary: 'One channel', tag: 'Channels', params: ChannelParam, response: Channel, cache: true },
  'PUT /video-channels/:channelHandle': {
    summary: 'Change a channel',
    tag: 'Channels',
    auth: 'user',
    params: ChannelParam,
    body: z.object({ ...ChannelFields, displayName: DisplayName.optional(), bulkVideosSupportUpdate: Bool.optional() })
  },
  'DELETE /video-channels/:channelHandle': {
    summary: 'Remove a channel with its videos',
    tag: 'Channels',
    auth: 'user',
    params: ChannelParam,
    refusals: { 409: 'An account keeps at least one channel' }
  },
  'POST /video-channels/:channelHandle/avatar/pick': {
    summary: 'Set the avatar',
    tag: 'Channels',
    auth: 'user',
    params: ChannelParam,
    files: { avatarfile: 'avatar' },
    response: z.object({ avatars: z.array(ActorImage) })
  },
  'POST /video-channels/:channelHandle/banner/pick': {
    summary: 'Set the banner',
    tag: 'Channels',
    auth: 'user',
    params: ChannelParam,
    files: { bannerfile: 'avatar' },
    response: z.object({ banners: z.array(ActorImage) })
  },
  'DELETE /video-channels/:channelHandle/avatar': { summary: 'Remove the avatar', tag: 'Channels', auth: 'user', params: ChannelParam },
  'DELETE /video-channels/:channelHandle/banner': { summary: 'Remove the banner', tag: 'Channels', auth: 'user', params: ChannelParam },
  'GET /accounts/:name/video-channels': {
    summary: 'Channels of an account',
    tag: 'Channels',
    params: z.object({ name: ActorHandle }),
    response: resultList(ChannelWithStats),
    cache: true,
    query: Paging.extend({
      withStats: Bool.optional(),
      search: z.string().max(200).optional(),
      sort: z.enum(['id', '-id', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt', 'name', '-name'], 'Invalid value').optional()
    })
  }
})
