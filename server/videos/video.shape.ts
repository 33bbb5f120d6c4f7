import type { ActorSummary } from '../../shared/actors.ts'
import { shortUuid } from '../../shared/short-uuid.ts'
import type { Video, VideoDetails } from '../../shared/videos.ts'
import { hlsDownloadUrl, hlsUrl, imagePath, metadataUrl, wholeUrl, type Placed } from './video-urls.ts'
import { CATEGORIES, labelled, LANGUAGES, LICENCES, PRIVACIES, resolutionLabel, STATES } from './labels.ts'
import { viewersOf } from './viewer-counts.ts'
import { webFiles } from './web-video-files.ts'

type File = VideoDetails['files'][number]

/** A row of the lists' query; `pg` gives bigint as text and json as objects. */
export type VideoRow = {
  id: number
  uuid: string
  url: string
  remote: boolean
  name: string
  description: string | null
  category: number | null
  licence: number | null
  language: string | null
  nsfw: boolean
  privacy: number
  state: number
  wait_transcoding: boolean
  duration: number
  aspect_ratio: number | null
  views: string
  likes: number
  dislikes: number
  comments: number
  created_at: Date
  updated_at: Date
  published_at: Date
  originally_published_at: Date | null
  schedule_at: Date | null
  schedule_privacy: number | null
  nsfw_summary: string | null
  is_live: boolean
  thumbnail: string | null
  preview: string | null
  account: ActorSummary
  channel: ActorSummary
}

/** A rendition as the details' query gives it. */
export type FileRow = {
  id: number
  resolution: number
  width: number | null
  height: number | null
  fps: number
  size: number
  whole_size: number | null
  filename: string
  playlist_filename: string
  has_audio: boolean
  has_video: boolean
}

const LIST_DESCRIPTION = 250

/** The lists' JSON of a row; `mine` adds what only owners and moderators see. */
export function videoJson(row: VideoRow, mine = false): Video {
  const short =
    row.description !== null && row.description.length > LIST_DESCRIPTION
      ? row.description.slice(0, LIST_DESCRIPTION - 3) + '...'
      : row.description
  return {
    id: row.id,
    uuid: row.uuid,
    shortUUID: shortUuid(row.uuid),
    url: row.url,
    name: row.name,
    category: labelled(row.category, CATEGORIES),
    licence: labelled(row.licence, LICENCES),
    language: labelled(row.language, LANGUAGES),
    privacy: labelled(row.privacy, PRIVACIES),
    nsfw: row.nsfw,
    nsfwFlags: 0,
    nsfwSummary: row.nsfw_summary,
    truncatedDescription: short,
    description: short,
    isLocal: !row.remote,
    duration: Math.floor(row.duration),
    aspectRatio: row.aspect_ratio === null ? null : Math.round(row.aspect_ratio * 10_000) / 10_000,
    views: Number(row.views),
    viewers: viewersOf(row.id),
    likes: row.likes,
    dislikes: row.dislikes,
    comments: row.comments,
    thumbnailPath: row.thumbnail && imagePath('thumbnails', row.thumbnail),
    previewPath: row.preview && imagePath('previews', row.preview),
    embedPath: `/videos/embed/${row.uuid}`,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    publishedAt: row.published_at.toISOString(),
    originallyPublishedAt: row.originally_published_at?.toISOString() ?? null,
    isLive: row.is_live,
    account: row.account,
    channel: row.channel,
    ...(mine
      ? {
          state: labelled(row.state, STATES),
          waitTranscoding: row.wait_transcoding,
          blacklisted: false,
          blacklistedReason: null,
          ...(row.schedule_at
            ? { scheduledUpdate: { updateAt: row.schedule_at.toISOString(), privacy: row.schedule_privacy ?? undefined } }
            : {})
        }
      : {})
  }
}

type PlaylistRow = {
  id: number
  playlist_filename: string
  segments_sha256_filename: string | null
  redundancies: { baseUrl: string }[]
  files: FileRow[]
}

/** The files of a local video in the API: its HLS playlist and, where the site offers them, every finished quality as one file. */
export function localFiles(video: Placed, playlists: PlaylistRow[]): Pick<VideoDetails, 'streamingPlaylists' | 'files'> {
  return {
    streamingPlaylists: playlists.map(playlist => ({
      id: playlist.id,
      type: 1,
      playlistUrl: hlsUrl(video, playlist.playlist_filename),
      segmentsSha256Url: playlist.segments_sha256_filename && hlsUrl(video, playlist.segments_sha256_filename),
      redundancies: playlist.redundancies,
      files: playlist.files.map(file => ({
        ...fileJson(video, file),
        size: Number(file.size),
        fileUrl: hlsUrl(video, file.filename),
        playlistUrl: hlsUrl(video, file.playlist_filename),
        hasAudio: file.has_audio
      }))
    })),
    files: playlists.flatMap(({ files }) =>
      webFiles(files).map(file => ({
        ...fileJson(video, file),
        size: Number(file.whole_size),
        fileUrl: wholeUrl(video, file.resolution),
        playlistUrl: null,
        hasAudio: file.has_audio || files.some(one => !one.has_video)
      }))
    )
  }
}

function fileJson(
  video: Placed,
  file: FileRow
): Pick<
  File,
  | 'id'
  | 'resolution'
  | 'width'
  | 'height'
  | 'fps'
  | 'fileDownloadUrl'
  | 'metadataUrl'
  | 'torrentUrl'
  | 'torrentDownloadUrl'
  | 'magnetUri'
  | 'hasVideo'
  | 'storage'
> {
  return {
    id: file.id,
    resolution: { id: file.resolution, label: resolutionLabel(file.resolution) },
    width: file.width,
    height: file.height,
    fps: Math.round(file.fps * 100) / 100,
    fileDownloadUrl: hlsDownloadUrl(video, file.resolution),
    metadataUrl: metadataUrl(video.uuid, file.id),
    torrentUrl: null,
    torrentDownloadUrl: null,
    magnetUri: null,
    hasVideo: file.has_video,
    storage: 0
  }
}
