import { z } from 'zod'
import { Account, ActorSummary, Channel, ActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import {
  Bool,
  DateTime,
  int,
  LabelledConstant,
  arrayParam,
  orNull,
  removedParam,
  resultList,
  Paging,
  textOrNull,
  Timestamp
} from './fields.ts'
import { CaptionKind } from './captions.ts'
import { MAX_LANGUAGE_TAG, VIDEO_LANGUAGES } from './languages.ts'
import { hostParam } from './hosts.ts'
import { longUuid } from './short-uuid.ts'

const INVALID_ID_MESSAGE = 'Should have a valid video id (id, short UUID or UUID)'

/** A video's id in a path: a number, a UUID or a short UUID. */
export const VideoId = z
  .string()
  .refine(id => /^[1-9]\d{0,8}$/.test(id) || longUuid(id) !== null, INVALID_ID_MESSAGE)
  .transform(id => (/^\d{1,9}$/.test(id) ? Number(id) : longUuid(id)!))
export const VideoParam = z.object({ id: VideoId })

const SORTS = [
  'name',
  'duration',
  'createdAt',
  'publishedAt',
  'originallyPublishedAt',
  'views',
  'likes',
  'comments',
  'trending',
  'hot',
  'best'
] as const
/** The sort orders of a list of videos; a leading minus means descending. */
export const VideoSort = z.enum(
  SORTS.flatMap(sort => [sort, `-${sort}`] as const),
  'Invalid value'
)

const PRIVACY = int(1, 5)
const Tags = orNull(arrayParam(z.string().min(2).max(30), 5)).superRefine((tags, context) => {
  if (tags && new Set(tags).size !== tags.length) context.addIssue({ code: 'custom', message: 'Should have unique tags' })
})

/** The filters of every list of videos. */
export const VideoQuery = Paging.extend({
  sort: VideoSort.optional(),
  nsfw: z.enum(['true', 'false', 'both'], 'Invalid value').optional(),
  isLocal: Bool.optional(),
  isLive: Bool.optional(),
  categoryOneOf: arrayParam(int(1, 1000)).optional(),
  licenceOneOf: arrayParam(int(1, 1000)).optional(),
  languageOneOf: arrayParam(z.string().max(MAX_LANGUAGE_TAG)).optional(),
  tagsOneOf: arrayParam(z.string().max(60)).optional(),
  tagsAllOf: arrayParam(z.string().max(60)).optional(),
  hasHLSFiles: Bool.optional(),
  hasWebVideoFiles: Bool.optional(),
  hasWebtorrentFiles: Bool.optional(),
  skipCount: Bool.optional().describe('The total is not counted'),
  search: z.string().max(200).optional(),
  host: hostParam().optional(),
  privacyOneOf: arrayParam(PRIVACY, 5).optional(),
  include: int(0, 1023).optional().describe('Bits (moderators only): 1 not published yet, 8 files'),
  autoTagOneOf: arrayParam(z.string().max(200)).optional().describe('Automatic tags (moderators only)'),
  excludeAlreadyWatched: Bool.optional(),
  filter: removedParam('Should not be sent: use isLocal and include')
})

/**
 * A file of a video. The URLs of its torrent are '' where it has none (yet), and its width and height (pixels) 0 without a picture or where
 * its origin does not say them, as clients require strings and numbers.
 */
const VideoFile = z.object({
  id: z.int(),
  resolution: z.object({ id: z.int(), label: z.string() }),
  width: z.int(),
  height: z.int(),
  size: z.int(),
  fps: z.number(),
  fileUrl: z.string(),
  playlistUrl: z.string().nullable(),
  fileDownloadUrl: z.string(),
  metadataUrl: z.string(),
  torrentUrl: z.string(),
  torrentDownloadUrl: z.string(),
  magnetUri: z.string(),
  hasAudio: z.boolean(),
  hasVideo: z.boolean(),
  storage: z.int(),
  isOriginal: z
    .literal(true)
    .optional()
    .describe('The uploaded file: the only one of `files`, for those who manage the video, until one is encoded')
})

/** An HLS master playlist with its renditions. */
const StreamingPlaylist = z.object({
  id: z.int(),
  type: z.literal(1),
  playlistUrl: z.string(),
  segmentsSha256Url: z.string().nullable(),
  redundancies: z.array(z.object({ baseUrl: z.string() })),
  files: z.array(VideoFile)
})

const ScheduledUpdate = z.object({ updateAt: Timestamp, privacy: z.int().optional() })

/** A video in lists. */
export const Video = z.object({
  id: z.int(),
  uuid: z.uuid(),
  shortUUID: z.string(),
  url: z.string(),
  name: z.string(),
  category: LabelledConstant,
  licence: LabelledConstant,
  language: LabelledConstant,
  privacy: LabelledConstant,
  nsfw: z.boolean(),
  nsfwFlags: z.int(),
  nsfwSummary: z.string().nullable(),
  truncatedDescription: z.string().nullable(),
  description: z.string().nullable(),
  isLocal: z.boolean(),
  duration: z.int(),
  aspectRatio: z.number().nullable(),
  views: z.int(),
  viewers: z.int(),
  likes: z.int(),
  dislikes: z.int(),
  comments: z.int(),
  thumbnailPath: z.string().nullable(),
  previewPath: z.string().nullable(),
  embedPath: z.string(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  publishedAt: Timestamp,
  originallyPublishedAt: Timestamp.nullable(),
  isLive: z.boolean(),
  account: ActorSummary,
  channel: ActorSummary,
  scheduledUpdate: ScheduledUpdate.optional(),
  state: LabelledConstant.optional(),
  waitTranscoding: z.boolean().optional(),
  blacklisted: z.boolean().optional(),
  blacklistedReason: z.string().nullable().optional(),
  blockedOwner: z.boolean().optional(),
  blockedServer: z.boolean().optional(),
  streamingPlaylists: z.array(StreamingPlaylist).optional(),
  files: z.array(VideoFile).optional()
})

/** A video with everything its page needs. */
export const VideoDetails = Video.extend({
  account: Account,
  channel: Channel,
  blacklisted: z.boolean(),
  blacklistedReason: z.string().nullable(),
  streamingPlaylists: z.array(StreamingPlaylist),
  files: z.array(VideoFile),
  support: z.string().nullable(),
  descriptionPath: z.string(),
  tags: z.array(z.string()),
  commentsEnabled: z.boolean(),
  commentsPolicy: LabelledConstant,
  downloadEnabled: z.boolean(),
  waitTranscoding: z.boolean(),
  inputFileUpdatedAt: Timestamp.nullable(),
  state: LabelledConstant,
  trackerUrls: z.array(z.string())
})

/** A page of videos; `total` is missing where `skipCount` was asked for. */
export const VideoList = resultList(Video).partial({ total: true })
const Constants = z.record(z.string(), z.string())

/** The metadata an owner may set, in an upload and in an edit. */
export const VideoUpdateFields = {
  name: z
    .string('Should have a video name between 3 and 120 characters long')
    .trim()
    .min(3, 'Should have a video name between 3 and 120 characters long')
    .max(120, 'Should have a video name between 3 and 120 characters long'),
  category: orNull(int(1, 18)).optional(),
  licence: orNull(int(1, 9)).optional(),
  language: orNull(z.enum(VIDEO_LANGUAGES, 'Should have a valid language')).optional(),
  description: textOrNull(3, 10_000).optional(),
  support: textOrNull(3, 1000).optional(),
  tags: Tags.optional(),
  nsfw: Bool.optional(),
  privacy: PRIVACY.optional(),
  waitTranscoding: Bool.optional(),
  downloadEnabled: Bool.optional(),
  commentsPolicy: int(1, 3).optional(),
  commentsEnabled: Bool.optional(),
  originallyPublishedAt: orNull(DateTime).optional(),
  scheduleUpdate: orNull(
    z.object({
      updateAt: DateTime,
      privacy: z
        .union([z.literal(1), z.literal(2), z.literal(4), z.literal('1'), z.literal('2'), z.literal('4')])
        .transform(Number)
        .optional()
    })
  ).optional(),
  videoPasswords: arrayParam(z.string().min(2, 'Invalid value').max(100, 'Invalid value'), 100).optional()
}

const TruncatedAt = z
  .number()
  .nullable()
  .describe('Seconds that could be read of the uploaded file, where it ends before the length it states; null for a whole file')

/**
 * The progress of a transcoding, for the video's owner. While it waits, `position` counts from 1, and `startsIn` estimates the seconds
 * until it starts; null where unknown.
 */
export const TranscodingProgress = z.object({
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  playable: z.boolean(),
  percent: z.number(),
  secondsLeft: z.number().nullable(),
  position: z.int().nullable(),
  startsIn: z.number().nullable(),
  rungs: z.array(z.object({ resolution: z.int(), label: z.string(), state: z.enum(['waiting', 'growing', 'done']) })),
  error: z.string().nullable(),
  truncatedAt: TruncatedAt
})

const Metadata = z.record(z.string(), z.unknown())
const PasswordItem = z.object({ id: z.int(), password: z.string(), videoId: z.int(), createdAt: Timestamp, updatedAt: Timestamp })

/** Routes for videos: lists, one video, its metadata, privacy and files. */
export const videosContract = defineContract({
  'GET /videos': {
    summary: 'Videos, newest first',
    tag: 'Videos',
    auth: 'optional',
    query: VideoQuery,
    response: VideoList,
    cache: true
  },
  'GET /videos/categories': { summary: 'Categories', tag: 'Videos', response: Constants, cache: true },
  'GET /videos/licences': { summary: 'Licences', tag: 'Videos', response: Constants, cache: true },
  'GET /videos/languages': { summary: 'Languages', tag: 'Videos', response: Constants, cache: true },
  'GET /videos/privacies': { summary: 'Privacies', tag: 'Videos', response: Constants, cache: true },
  'GET /accounts/:name/videos': {
    summary: 'Videos of an account',
    tag: 'Videos',
    auth: 'optional',
    params: z.object({ name: ActorHandle }),
    query: VideoQuery,
    response: VideoList,
    cache: true
  },
  'GET /video-channels/:channelHandle/videos': {
    summary: 'Videos of a channel',
    tag: 'Videos',
    auth: 'optional',
    params: z.object({ channelHandle: ActorHandle }),
    query: VideoQuery,
    response: VideoList,
    cache: true
  },
  'GET /users/me/videos': {
    summary: 'My videos in any state and privacy',
    tag: 'My videos',
    auth: 'user',
    query: VideoQuery.extend({ channelId: int(1, 2 ** 31 - 1).optional() }),
    response: VideoList
  },
  'GET /videos/:id': {
    summary: 'One video',
    tag: 'Videos',
    auth: 'optional',
    params: VideoParam,
    response: VideoDetails,
    cache: true,
    refusals: {
      401: 'Private or internal, and the request is anonymous',
      403: 'video_requires_password, incorrect_video_password, or not yours',
      404: 'No such video'
    }
  },
  'GET /videos/:id/description': {
    summary: 'The whole description (Markdown)',
    tag: 'Videos',
    auth: 'optional',
    params: VideoParam,
    response: z.object({ description: z.string().nullable() }),
    cache: true
  },
  'PUT /videos/:id': {
    summary: 'Edit a video',
    tag: 'My videos',
    auth: 'user',
    params: VideoParam,
    files: { thumbnailfile: 'image', previewfile: 'image' },
    body: z.object({ ...VideoUpdateFields, name: VideoUpdateFields.name.optional(), channelId: int(1, 2 ** 31 - 1).optional() })
  },
  'DELETE /videos/:id': { summary: 'Delete a video with its files', tag: 'My videos', auth: 'user', params: VideoParam },
  'GET /videos/:id/source': {
    summary: 'The uploaded file',
    tag: 'My videos',
    auth: 'user',
    params: VideoParam,
    response: z.object({
      filename: z.string(),
      inputFilename: z.string(),
      fileUrl: z.string().nullable(),
      fileDownloadUrl: z.string().nullable(),
      resolution: LabelledConstant.nullable(),
      size: z.int(),
      width: z.int().nullable(),
      height: z.int().nullable(),
      fps: z.number().nullable(),
      truncatedAt: TruncatedAt,
      metadata: Metadata.nullable(),
      createdAt: Timestamp
    })
  },
  'GET /videos/:id/metadata/:videoFileId': {
    summary: 'ffprobe metadata of a file',
    tag: 'Videos',
    auth: 'optional',
    params: VideoParam.extend({ videoFileId: int(1, 2 ** 31 - 1) }),
    response: Metadata
  },
  'GET /videos/:id/storyboards': {
    summary: 'Sheets of small frames for the seek bar',
    tag: 'Videos',
    auth: 'optional',
    params: VideoParam,
    cache: true,
    response: z.object({
      storyboards: z.array(
        z.object({
          storyboardPath: z.string(),
          totalHeight: z.int(),
          totalWidth: z.int(),
          spriteHeight: z.int(),
          spriteWidth: z.int(),
          spriteDuration: z.number()
        })
      )
    })
  },
  'GET /videos/:id/captions': {
    summary: 'Subtitles of a video',
    tag: 'Videos',
    auth: 'optional',
    params: VideoParam,
    cache: true,
    response: resultList(
      z.object({
        language: z.object({ id: z.string(), label: z.string() }),
        automaticallyGenerated: z.boolean(),
        captionPath: z.string(),
        updatedAt: Timestamp
      })
    )
  },
  'GET /videos/:id/caption-tracks': {
    summary: 'Subtitles of a video, of every kind',
    description:
      'Where a language has several: all that is spoken (subtitles), also what is heard besides speech (hearing_impaired), only what is ' +
      'foreign to viewers who understand the audio (forced). `GET /videos/:id/captions` has one per language, and none that is forced.',
    tag: 'Videos',
    auth: 'optional',
    params: VideoParam,
    cache: true,
    response: resultList(
      z.object({
        language: z.object({ id: z.string(), label: z.string() }),
        kind: CaptionKind,
        automaticallyGenerated: z.boolean(),
        captionPath: z.string(),
        updatedAt: Timestamp
      })
    )
  },
  'DELETE /videos/:id/captions/:captionLanguage': {
    summary: 'Delete subtitles',
    description: 'Those that `GET /videos/:id/captions` has for the language, or those of a `kind`; others of the language stay.',
    tag: 'My videos',
    auth: 'user',
    params: VideoParam.extend({ captionLanguage: z.enum(VIDEO_LANGUAGES, 'Invalid value') }),
    query: z.object({ kind: CaptionKind.optional() }),
    refusals: { 403: 'Not yours', 404: 'No such video, or no such subtitles' }
  },
  'GET /videos/:id/chapters': {
    summary: 'Chapters of a video',
    tag: 'Videos',
    auth: 'optional',
    params: VideoParam,
    cache: true,
    response: z.object({ chapters: z.array(z.object({ timecode: z.int(), title: z.string() })) })
  },
  'GET /video-channels/:channelHandle/reading': {
    summary: 'Crawl status of a remote channel',
    description: 'The request continues the crawl: `known` of `total` videos are stored, `reading` while the crawl runs.',
    tag: 'Channels',
    params: z.object({ channelHandle: ActorHandle }),
    response: z.object({ known: z.int(), total: z.int().nullable(), reading: z.boolean() })
  },
  'POST /videos/:id/token': {
    summary: 'A token that opens the files of a video for its viewer',
    tag: 'Videos',
    auth: 'optional',
    params: VideoParam,
    response: z.object({ files: z.object({ token: z.string(), expires: Timestamp }) })
  },
  'GET /videos/:id/passwords': {
    summary: 'Passwords of a video',
    tag: 'My videos',
    auth: 'user',
    params: VideoParam,
    query: Paging.extend({ sort: z.enum(['id', '-id', 'createdAt', '-createdAt'], 'Invalid value').optional() }),
    response: resultList(PasswordItem)
  },
  'PUT /videos/:id/passwords': {
    summary: 'Replace the passwords',
    tag: 'My videos',
    auth: 'user',
    params: VideoParam,
    body: z.object({ passwords: z.array(z.string().min(2).max(100)).min(1).max(100) })
  },
  'DELETE /videos/:id/passwords/:passwordId': {
    summary: 'Remove a password',
    tag: 'My videos',
    auth: 'user',
    params: VideoParam.extend({ passwordId: int(1, 2 ** 31 - 1) })
  }
})

export type Video = z.output<typeof Video>
export type VideoDetails = z.output<typeof VideoDetails>
export type TranscodingProgress = z.output<typeof TranscodingProgress>
