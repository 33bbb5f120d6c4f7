import type { ActorSummary } from '../../shared/actors.ts'
import { shortUuid } from '../../shared/short-uuid.ts'
import type { Video, VideoDetails } from '../../shared/videos.ts'
import { torrentLinks, type TorrentNames } from './torrent-links.ts'
import {
  hlsDownloadUrl,
  hlsFileUrl,
  imagePath,
  videoFileMetadataUrl,
  webVideoDownloadUrl,
  webVideoUrl,
  type VideoFileLocation
} from './video-urls.ts'
import {
  VIDEO_CATEGORY_LABELS,
  idWithLabel,
  languageLabel,
  VIDEO_LICENCE_LABELS,
  VIDEO_PRIVACY_LABELS,
  resolutionLabel,
  VIDEO_STATE_LABELS
} from './labels.ts'
import { viewerCountOf } from './viewer-counts.ts'
import { hlsFiles, webVideoFiles } from './web-video-files.ts'

type FileJson = VideoDetails['files'][number]

/** A row of the query of video lists; `pg` returns bigint as a string and json as an object. */
export type VideoListRow = {
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

/**
 * A rendition in the queries of lists and details; sizes in bytes. `hls`, `web_video`: whether it is offered as an HLS file, and as one MP4,
 * which has an id and a torrent of its own.
 */
export type VideoFileRow = {
  id: number
  web_video_id: number
  hls: boolean
  web_video: boolean
  torrents: TorrentNames
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

/** Characters of the description in lists. */
const TRUNCATED_DESCRIPTION_LENGTH = 250

/** Returns the API JSON of a row; `withState` adds the fields that only owners and moderators get. */
export function videoJson(row: VideoListRow, withState = false): Video {
  const truncatedDescription =
    row.description !== null && row.description.length > TRUNCATED_DESCRIPTION_LENGTH
      ? row.description.slice(0, TRUNCATED_DESCRIPTION_LENGTH - 3) + '...'
      : row.description
  return {
    id: row.id,
    uuid: row.uuid,
    shortUUID: shortUuid(row.uuid),
    url: row.url,
    name: row.name,
    category: idWithLabel(row.category, VIDEO_CATEGORY_LABELS),
    licence: idWithLabel(row.licence, VIDEO_LICENCE_LABELS),
    language: { id: row.language, label: row.language === null ? 'Unknown' : languageLabel(row.language) },
    privacy: idWithLabel(row.privacy, VIDEO_PRIVACY_LABELS),
    nsfw: row.nsfw,
    nsfwFlags: 0,
    nsfwSummary: row.nsfw_summary,
    truncatedDescription,
    description: truncatedDescription,
    isLocal: !row.remote,
    duration: Math.floor(row.duration),
    aspectRatio: row.aspect_ratio === null ? null : Math.round(row.aspect_ratio * 10_000) / 10_000,
    views: Number(row.views),
    viewers: viewerCountOf(row.id),
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
    ...(withState
      ? {
          state: idWithLabel(row.state, VIDEO_STATE_LABELS),
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
  files: VideoFileRow[]
}

/** Returns the API JSON of the files of a local video: its HLS playlist and, if enabled, every finished rendition as one MP4. */
export function localVideoFilesJson(
  video: VideoFileLocation & { name: string },
  playlists: PlaylistRow[]
): Pick<VideoDetails, 'streamingPlaylists' | 'files'> {
  return {
    streamingPlaylists: playlists
      .filter(({ files }) => hlsFiles(files).length > 0)
      .map(playlist => ({
        id: playlist.id,
        type: 1,
        playlistUrl: hlsFileUrl(video, playlist.playlist_filename),
        segmentsSha256Url: playlist.segments_sha256_filename && hlsFileUrl(video, playlist.segments_sha256_filename),
        redundancies: playlist.redundancies,
        files: hlsFiles(playlist.files).map(file => ({
          ...renditionJson(file),
          ...torrentLinks(video, file.torrents?.hls, hlsFileUrl(video, file.filename)),
          id: file.id,
          size: Number(file.size),
          fileUrl: hlsFileUrl(video, file.filename),
          fileDownloadUrl: hlsDownloadUrl(video, file.resolution),
          metadataUrl: videoFileMetadataUrl(video.uuid, file.id),
          playlistUrl: hlsFileUrl(video, file.playlist_filename),
          hasAudio: file.has_audio
        }))
      })),
    files: playlists.flatMap(({ files }) =>
      webVideoFiles(files).map(file => ({
        ...renditionJson(file),
        ...torrentLinks(video, file.torrents?.webVideo, webVideoUrl(video, file.filename)),
        id: file.web_video_id,
        size: Number(file.whole_size),
        fileUrl: webVideoUrl(video, file.filename),
        fileDownloadUrl: webVideoDownloadUrl(video, file.resolution),
        metadataUrl: videoFileMetadataUrl(video.uuid, file.web_video_id),
        playlistUrl: null,
        hasAudio: file.has_audio || files.some(other => !other.has_video)
      }))
    )
  }
}

function renditionJson(file: VideoFileRow): Pick<FileJson, 'resolution' | 'width' | 'height' | 'fps' | 'hasVideo' | 'storage'> {
  return {
    resolution: { id: file.resolution, label: resolutionLabel(file.resolution) },
    width: file.width ?? 0,
    height: file.height ?? 0,
    fps: Math.round(file.fps * 100) / 100,
    hasVideo: file.has_video,
    storage: 0
  }
}
