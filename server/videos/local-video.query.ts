import type { Transaction } from 'sequelize'
import { shortUuid } from '../../shared/short-uuid.ts'
import { config, instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { torrentLinks, TORRENTS_SQL, type TorrentName, type TorrentNames } from './torrent-links.ts'
import { hlsFileUrl, imagePath, videoFileMetadataUrl, webVideoUrl } from './video-urls.ts'
import { languageCaptionsSql } from './captions.ts'
import { languageLabel } from './labels.ts'
import { VIDEO_PRIVACY, VIDEO_STATE } from './video.model.ts'
import type { VideoObject } from './video-object.ts'
import { hlsFiles, webVideoFiles } from './web-video-files.ts'

type FileRow = {
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
  has_audio: boolean
  has_video: boolean
}
type ImageRow = { kind: string; filename: string; width: number; height: number }
type LocalVideoRow = {
  id: number
  url: string
  uuid: string
  name: string
  duration: number
  privacy: number
  state: number
  category: number | null
  licence: number | null
  language: string | null
  views: string
  nsfw: boolean
  nsfw_summary: string | null
  wait_transcoding: boolean
  comments_policy: number
  download_enabled: boolean
  published_at: Date
  updated_at: Date
  originally_published_at: Date | null
  tags: string[]
  description: string | null
  support: string | null
  aspect_ratio: number | null
  account: string
  account_followers: string
  channel: string
  federated: boolean
  publications: number
  images: ImageRow[] | null
  captions: { language: string; automatic: boolean; filename: string }[] | null
  files: FileRow[] | null
  playlist: { filename: string; hashes: string | null } | null
  storyboard: {
    filename: string
    total_width: number
    total_height: number
    sprite_width: number
    sprite_height: number
    sprite_duration: number
  } | null
}

/** A video of this instance with the fields that determine whether it is federated; `account`, `channel`: URLs of the actors. */
export type LocalVideo = {
  id: number
  object: VideoObject
  privacy: number
  state: number
  federated: boolean
  publications: number
  account: string
  channel: string
}

/** Returns a local video by numeric id or UUID, whatever its privacy; null if there is none. */
export async function findLocalVideo(id: number | string, tx?: Transaction): Promise<LocalVideo | null> {
  const [row] = await runQuery<LocalVideoRow>(
    sql`
    SELECT v.*, aa.url AS account, aa.followers_url AS account_followers, ca.url AS channel,
      (SELECT json_agg(t ORDER BY t.width) FROM thumbnails t WHERE t.video_id = v.id) AS images,
      (SELECT json_agg(c ORDER BY c.language) FROM (${languageCaptionsSql(sql`v.id`)}) c WHERE c.url IS NULL) AS captions,
      (SELECT to_json(s) FROM storyboards s WHERE s.video_id = v.id) AS storyboard,
      (SELECT json_build_object('filename', p.playlist_filename, 'hashes', p.segments_sha256_filename)
        FROM streaming_playlists p WHERE p.video_id = v.id) AS playlist,
      (SELECT json_agg(json_build_object('id', f.id, 'web_video_id', f.web_video_id, 'hls', f.hls, 'web_video', f.web_video,
          'torrents', ${TORRENTS_SQL}, 'resolution', f.resolution, 'width', f.width, 'height', f.height, 'fps', f.fps,
          'size', f.size, 'whole_size', f.whole_size, 'filename', f.filename, 'has_audio', f.has_audio, 'has_video', f.has_video)
          ORDER BY f.resolution DESC)
        FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
        WHERE p.video_id = v.id AND f.track = 0 AND NOT f.growing) AS files
    FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id JOIN accounts a ON a.id = c.account_id
      JOIN actors aa ON aa.id = a.actor_id
    WHERE ${typeof id === 'number' ? sql`v.id = ${id}` : sql`v.uuid = ${id}`} AND NOT v.remote`,
    tx
  )
  if (!row) return null
  const { privacy, state, federated, publications, account, channel } = row
  return { id: row.id, object: toVideoObject(row), privacy, state, federated, publications, account, channel }
}

/** Whether the ActivityPub document of a video is served: it is published, and public or unlisted. */
export function isVideoServedToPeers({ privacy, state }: { privacy: number; state: number }): boolean {
  return (privacy === VIDEO_PRIVACY.PUBLIC || privacy === VIDEO_PRIVACY.UNLISTED) && state === VIDEO_STATE.PUBLISHED
}

/** Whether activities about a video are sent to followers. */
export function shouldFederateVideo({ privacy, state }: { privacy: number; state: number }): boolean {
  return (
    state === VIDEO_STATE.PUBLISHED &&
    (privacy === VIDEO_PRIVACY.PUBLIC || (privacy === VIDEO_PRIVACY.UNLISTED && config.federation.videos.federate_unlisted))
  )
}

function toVideoObject(row: LocalVideoRow): VideoObject {
  const isPublic = row.privacy === VIDEO_PRIVACY.PUBLIC
  const absoluteUrl = (path: string) => `${instanceOrigin()}${path}`
  return {
    id: row.url,
    uuid: row.uuid,
    name: row.name,
    duration: Math.floor(row.duration),
    public: isPublic,
    cc: isPublic ? [row.account_followers] : [],
    category: row.category,
    licence: row.licence,
    language: row.language,
    views: Number(row.views),
    sensitive: row.nsfw,
    summary: row.nsfw_summary,
    waitTranscoding: row.wait_transcoding,
    state: row.state,
    commentsPolicy: row.comments_policy,
    downloadEnabled: row.download_enabled,
    published: row.published_at,
    updated: row.updated_at,
    originallyPublished: row.originally_published_at,
    tags: row.tags,
    content: row.description,
    mediaType: 'text/markdown',
    support: row.support,
    captions: (row.captions ?? []).map(({ language, automatic, filename }) => ({
      language,
      label: languageLabel(language),
      automatic,
      url: absoluteUrl(imagePath('video-captions', filename))
    })),
    icons: (row.images ?? []).map(({ kind, filename, width, height }) => ({
      url: absoluteUrl(imagePath(kind === 'thumbnail' ? 'thumbnails' : 'previews', filename)),
      mediaType: 'image/jpeg',
      width,
      height
    })),
    storyboard: row.storyboard && {
      url: absoluteUrl(imagePath('storyboards', row.storyboard.filename)),
      width: row.storyboard.total_width,
      height: row.storyboard.total_height,
      tileWidth: row.storyboard.sprite_width,
      tileHeight: row.storyboard.sprite_height,
      tileDuration: row.storyboard.sprite_duration
    },
    aspectRatio: row.aspect_ratio === null ? null : Math.round(row.aspect_ratio * 10_000) / 10_000,
    htmlUrl: absoluteUrl(`/w/${shortUuid(row.uuid)}`),
    files: webVideoFiles(row.files ?? []).map(file => ({
      ...fileLink(row, file),
      ...announcedTorrent(row, file.torrents?.webVideo, webVideoUrl(row, file.filename)),
      url: webVideoUrl(row, file.filename),
      metadataUrl: videoFileMetadataUrl(row.uuid, file.web_video_id),
      size: Number(file.whole_size),
      streams: { audio: file.has_audio || row.files!.some(other => !other.has_video), video: true }
    })),
    trackers: [],
    playlist:
      hlsFiles(row.files ?? []).length === 0
        ? null
        : row.playlist && {
            url: hlsFileUrl(row, row.playlist.filename),
            segmentsSha256Url: row.playlist.hashes === null ? null : hlsFileUrl(row, row.playlist.hashes),
            infohashes: [],
            files: hlsFiles(row.files ?? []).map(file => fileLink(row, file))
          },
    collections: {
      likes: `${row.url}/likes`,
      dislikes: `${row.url}/dislikes`,
      shares: `${row.url}/announces`,
      comments: `${row.url}/comments`,
      replies: `${row.url}/replies`,
      chapters: `${row.url}/chapters`
    },
    account: row.account,
    channel: row.channel,
    live: null
  }
}

function fileLink(video: LocalVideoRow, file: FileRow): NonNullable<VideoObject['playlist']>['files'][number] {
  return {
    url: hlsFileUrl(video, file.filename),
    // PeerTube sends the same for audio, and may refuse a whole video for `audio/mp4`.
    mediaType: 'video/mp4',
    width: file.width ?? 0,
    height: file.height ?? file.resolution,
    size: Number(file.size),
    fps: Math.round(file.fps * 100) / 100,
    streams: { audio: file.has_audio, video: file.has_video },
    metadataUrl: videoFileMetadataUrl(video.uuid, file.id),
    ...announcedTorrent(video, file.torrents?.hls, hlsFileUrl(video, file.filename))
  }
}

/** The torrent and the magnet URI of a file; null where it has none, or none for everybody. */
function announcedTorrent(video: LocalVideoRow, torrent: TorrentName | undefined, fileUrl: string) {
  const { torrentUrl, magnetUri } = torrentLinks(video, torrent, fileUrl)
  return magnetUri === '' ? { torrentUrl: null, magnetUri: null } : { torrentUrl, magnetUri }
}
