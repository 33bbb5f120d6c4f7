import type { VideoDetails } from '../../shared/videos.ts'
import { sql } from '../core/sql.ts'
import { videoFileMetadataUrl } from './video-urls.ts'
import { resolutionLabel } from './labels.ts'

type FileJson = VideoDetails['files'][number]
/** A row of `remote_files`; `hls`: a rendition of the playlist, otherwise a file of its own. */
type RemoteFileRow = {
  id: number
  hls: boolean
  resolution: number
  width: number | null
  height: number | null
  fps: number
  size: number
  url: string
  metadata_url: string | null
  torrent_url: string | null
  magnet_uri: string | null
  has_audio: boolean
  has_video: boolean
}
/** The files of a remote video, as its origin published them. */
export type RemoteVideoFilesRow = {
  redundancies: { baseUrl: string }[]
  playlist: { id: number; url: string; segments_sha256_url: string | null } | null
  files: RemoteFileRow[]
}

/** SQL of a JSON array of the copies of `videos v` on other instances. */
export const REDUNDANCIES_SQL = sql`(SELECT coalesce(json_agg(json_build_object('baseUrl', r.base_url) ORDER BY r.id), '[]'::json)
  FROM redundancies r WHERE r.video_id = v.id AND (r.expires_at IS NULL OR r.expires_at > now()))`

/** SQL of the RemoteVideoFilesRow of `videos v`, NULL for a local video. */
export const REMOTE_VIDEO_FILES_SQL = sql`(CASE WHEN v.remote THEN json_build_object('redundancies', ${REDUNDANCIES_SQL},
  'playlist', (SELECT json_build_object('id', rp.id, 'url', rp.url, 'segments_sha256_url', rp.segments_sha256_url) FROM remote_playlists rp
    WHERE rp.video_id = v.id),
  'files', (SELECT coalesce(json_agg(rf ORDER BY rf.resolution DESC, rf.id), '[]'::json) FROM remote_files rf
    WHERE rf.video_id = v.id)) END)`

/** Returns the API JSON of the files of a remote video; the URLs lead to its origin. */
export function remoteVideoFilesJson(
  video: { uuid: string },
  { playlist, files, redundancies }: RemoteVideoFilesRow
): Pick<VideoDetails, 'streamingPlaylists' | 'files'> {
  const json = (file: RemoteFileRow): FileJson => fileJson(video, file, playlist?.url ?? null)
  return {
    streamingPlaylists: playlist
      ? [
          {
            id: playlist.id,
            type: 1,
            playlistUrl: playlist.url,
            segmentsSha256Url: playlist.segments_sha256_url,
            redundancies,
            files: files.filter(file => file.hls).map(json)
          }
        ]
      : [],
    files: files.filter(file => !file.hls).map(json)
  }
}

function fileJson(video: { uuid: string }, file: RemoteFileRow, playlistUrl: string | null): FileJson {
  return {
    id: file.id,
    resolution: { id: file.resolution, label: file.resolution === 0 && file.has_video ? 'Unknown' : resolutionLabel(file.resolution) },
    width: file.width ?? 0,
    height: file.height ?? 0,
    size: Number(file.size),
    fps: Math.round(file.fps * 100) / 100,
    fileUrl: file.url,
    fileDownloadUrl: file.url,
    playlistUrl: file.hls ? playlistUrl : null,
    metadataUrl: file.metadata_url ?? videoFileMetadataUrl(video.uuid, file.id),
    torrentUrl: file.torrent_url ?? '',
    torrentDownloadUrl: file.torrent_url ?? '',
    magnetUri: file.magnet_uri ?? '',
    hasAudio: file.has_audio,
    hasVideo: file.has_video,
    storage: 0
  }
}
