import { z } from 'zod'
import { ActorSummary, ActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { int, LabelledConstant, arrayParam, orNull, resultList, Paging, textOrNull, Timestamp } from './fields.ts'
import { longUuid } from './short-uuid.ts'
import { Video, VideoId } from './videos.ts'

/** An ordered list of videos. */
export const VideoPlaylist = z.object({
  id: z.int(),
  uuid: z.string(),
  shortUUID: z.string(),
  isLocal: z.boolean(),
  url: z.string(),
  displayName: z.string(),
  description: z.string().nullable(),
  privacy: LabelledConstant,
  type: LabelledConstant,
  thumbnailPath: z.string().nullable(),
  embedPath: z.string(),
  videosLength: z.int(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  ownerAccount: ActorSummary,
  videoChannel: ActorSummary.nullable()
})
export type VideoPlaylist = z.output<typeof VideoPlaylist>

/** An element of a playlist. `type`: 0 a video, 1 a deleted one, 2 a private one, 3 an unavailable one. */
export const VideoPlaylistElement = z.object({
  id: z.int(),
  position: z.int(),
  startTimestamp: z.int().nullable(),
  stopTimestamp: z.int().nullable(),
  type: z.int(),
  video: Video.nullable()
})

export type VideoPlaylistElement = z.output<typeof VideoPlaylistElement>

const Seconds = int(0, 2 ** 31 - 1)
/** The id of a playlist in a path: its number, UUID or short UUID; parsed to the number or the UUID. */
export const PlaylistId = z.string('Invalid value').transform((value, context) => {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
  const uuid = longUuid(value)
  if (uuid) return uuid
  context.addIssue({ code: 'custom', message: 'Invalid value' })
  return z.NEVER
})
const PlaylistParam = z.object({ playlistId: PlaylistId })
const ElementParam = z.object({ playlistId: PlaylistId, elementId: int(1, 2 ** 31 - 1) })
const DisplayName = z
  .string('Should have a valid display name')
  .trim()
  .min(1, 'Should have a valid display name')
  .max(120, 'Should have a valid display name')
const PlaylistFields = {
  description: textOrNull(3, 1000, 'Should have a valid description').optional(),
  privacy: int(1, 3).optional(),
  videoChannelId: orNull(int(1, 2 ** 31 - 1)).optional()
}
const PlaylistListQuery = Paging.extend({
  sort: z.enum(['displayName', '-displayName', 'createdAt', '-createdAt', 'updatedAt', '-updatedAt'], 'Invalid value').optional(),
  search: z.string('Invalid value').max(200, 'Invalid value').optional(),
  playlistType: int(1, 2).optional()
})
const ElementTimes = { startTimestamp: orNull(Seconds).optional(), stopTimestamp: orNull(Seconds).optional() }

/** Routes for playlists and their elements. */
export const playlistsContract = defineContract({
  'GET /video-playlists/privacies': { summary: 'Privacies of playlists', tag: 'Playlists', response: z.record(z.string(), z.string()) },
  'GET /video-playlists': {
    summary: 'Public playlists',
    tag: 'Playlists',
    auth: 'optional',
    query: PlaylistListQuery,
    response: resultList(VideoPlaylist)
  },
  'POST /video-playlists': {
    summary: 'Create a playlist',
    tag: 'Playlists',
    auth: 'user',
    files: { thumbnailfile: 'image' },
    body: z.object({ displayName: DisplayName, ...PlaylistFields }),
    response: z.object({ videoPlaylist: z.object({ id: z.int(), uuid: z.string(), shortUUID: z.string() }) })
  },
  'GET /video-playlists/:playlistId': {
    summary: 'A playlist',
    tag: 'Playlists',
    auth: 'optional',
    params: PlaylistParam,
    response: VideoPlaylist
  },
  'PUT /video-playlists/:playlistId': {
    summary: 'Edit a playlist',
    tag: 'Playlists',
    auth: 'user',
    params: PlaylistParam,
    files: { thumbnailfile: 'image' },
    body: z.object({ displayName: DisplayName.optional(), ...PlaylistFields })
  },
  'DELETE /video-playlists/:playlistId': { summary: 'Delete a playlist', tag: 'Playlists', auth: 'user', params: PlaylistParam },
  'GET /video-playlists/:playlistId/videos': {
    summary: 'Elements of a playlist',
    tag: 'Playlists',
    auth: 'optional',
    params: PlaylistParam,
    query: Paging,
    response: resultList(VideoPlaylistElement)
  },
  'POST /video-playlists/:playlistId/videos': {
    summary: 'Add a video to a playlist',
    tag: 'Playlists',
    auth: 'user',
    params: PlaylistParam,
    body: z.object({ videoId: z.preprocess(value => (typeof value === 'number' ? String(value) : value), VideoId), ...ElementTimes }),
    response: z.object({ videoPlaylistElement: z.object({ id: z.int() }) })
  },
  'POST /video-playlists/:playlistId/videos/reorder': {
    summary: 'Move elements of a playlist',
    tag: 'Playlists',
    auth: 'user',
    params: PlaylistParam,
    body: z.object({
      startPosition: int(1, 2 ** 31 - 1),
      insertAfterPosition: int(0, 2 ** 31 - 1),
      reorderLength: int(1, 2 ** 31 - 1).optional()
    })
  },
  'PUT /video-playlists/:playlistId/videos/:elementId': {
    summary: 'Set where an element of a playlist starts and stops',
    tag: 'Playlists',
    auth: 'user',
    params: ElementParam,
    body: z.object(ElementTimes)
  },
  'DELETE /video-playlists/:playlistId/videos/:elementId': {
    summary: 'Remove an element of a playlist',
    tag: 'Playlists',
    auth: 'user',
    params: ElementParam
  },
  'GET /users/me/video-playlists/videos-exist': {
    summary: 'My playlists that contain these videos',
    tag: 'Playlists',
    auth: 'user',
    query: z.object({ videoIds: arrayParam(int(1, 2 ** 31 - 1)) }),
    response: z.record(
      z.string(),
      z.array(
        z.object({
          playlistElementId: z.int(),
          playlistId: z.int(),
          playlistDisplayName: z.string(),
          playlistShortUUID: z.string(),
          startTimestamp: z.int().nullable(),
          stopTimestamp: z.int().nullable()
        })
      )
    )
  },
  'GET /accounts/:name/video-playlists': {
    summary: 'Playlists of an account',
    tag: 'Playlists',
    auth: 'optional',
    params: z.object({ name: ActorHandle }),
    query: PlaylistListQuery,
    response: resultList(VideoPlaylist)
  },
  'GET /video-channels/:channelHandle/video-playlists': {
    summary: 'Playlists of a channel',
    tag: 'Playlists',
    auth: 'optional',
    params: z.object({ channelHandle: ActorHandle }),
    query: PlaylistListQuery,
    response: resultList(VideoPlaylist)
  }
})
