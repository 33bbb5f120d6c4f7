import type { z } from 'zod'
import type { VideoPlaylist, VideoPlaylistElement } from '../../shared/playlists.ts'
import { shortUuid } from '../../shared/short-uuid.ts'
import type { ActorSummary } from '../../shared/actors.ts'
import type { Viewer } from '../core/route.ts'
import { sqlAnd, runQuery, sql, type Sql } from '../core/sql.ts'
import { actorSummarySql } from '../actors/actor.shape.ts'
import { notBlockedSql } from '../actors/blocks.ts'
import { imagePath } from '../videos/video-urls.ts'
import { listVideos } from '../videos/videos.query.ts'
import { PLAYLIST_PRIVACY, PLAYLIST_TYPE, type PlaylistRow } from './playlist.row.ts'

/** Labels by the value of `privacy`. */
export const PLAYLIST_PRIVACY_LABELS: Record<number, string> = {
  [PLAYLIST_PRIVACY.PUBLIC]: 'Public',
  [PLAYLIST_PRIVACY.UNLISTED]: 'Unlisted',
  [PLAYLIST_PRIVACY.PRIVATE]: 'Private'
}
const PLAYLIST_TYPE_LABELS: Record<number, string> = { [PLAYLIST_TYPE.REGULAR]: 'Regular', [PLAYLIST_TYPE.WATCH_LATER]: 'Watch later' }

type PlaylistPage = { start: number; count: number }
type PlaylistFilters = PlaylistPage & { sort?: string; search?: string; playlistType?: number }
type PlaylistScope = { accountId?: number; channelId?: number }
type ListedPlaylistRow = Pick<
  PlaylistRow,
  'id' | 'uuid' | 'url' | 'remote' | 'name' | 'description' | 'privacy' | 'type' | 'created_at' | 'updated_at'
> & {
  thumbnail: string | null
  length: number
  owner: z.output<typeof ActorSummary>
  channel: z.output<typeof ActorSummary> | null
}

const FROM_PLAYLISTS = sql`
  FROM playlists p JOIN accounts a ON a.id = p.account_id JOIN actors aa ON aa.id = a.actor_id LEFT JOIN channels c ON c.id = p.channel_id
    LEFT JOIN actors ca ON ca.id = c.actor_id`
const ORDERS: Record<string, Sql> = { displayName: sql`lower(p.name)`, createdAt: sql`p.created_at`, updatedAt: sql`p.updated_at` }

/** Lists public playlists; for the owner of `accountId` also the other ones of that account. */
export async function listPlaylists(
  { start, count, sort = '-createdAt', search, playlistType }: PlaylistFilters,
  viewer: Viewer | null,
  { accountId, channelId }: PlaylistScope = {}
): Promise<{ total: number; data: VideoPlaylist[] }> {
  const conditions = [accountId !== undefined && accountId === viewer?.accountId ? sql`true` : sql`p.privacy = ${PLAYLIST_PRIVACY.PUBLIC}`]
  if (accountId !== undefined) conditions.push(sql`p.account_id = ${accountId}`)
  if (channelId !== undefined) conditions.push(sql`p.channel_id = ${channelId}`)
  if (search) conditions.push(sql`unaccent(lower(p.name)) LIKE '%' || unaccent(${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}) || '%'`)
  if (playlistType !== undefined) conditions.push(sql`p.type = ${playlistType}`)
  conditions.push(notBlockedSql({ actorId: sql`aa.id`, host: sql`aa.host` }, viewer?.id ?? null))
  const where = sqlAnd(conditions)
  const direction = sort.startsWith('-') ? sql`DESC` : sql`ASC`
  const rows = await queryPlaylists(
    sql`WHERE ${where} ORDER BY ${ORDERS[sort.replace('-', '')]!} ${direction}, p.id ${direction} LIMIT ${count} OFFSET ${start}`
  )
  const [total] = await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count ${FROM_PLAYLISTS} WHERE ${where}`)
  return { total: total!.count, data: rows }
}

/** Returns a playlist in the shape of the API. */
export async function loadPlaylist({ id }: Pick<PlaylistRow, 'id'>): Promise<VideoPlaylist> {
  return (await queryPlaylists(sql`WHERE p.id = ${id}`))[0]!
}

async function queryPlaylists(clauses: Sql): Promise<VideoPlaylist[]> {
  const rows = await runQuery<ListedPlaylistRow>(sql`
    SELECT p.id, p.uuid, p.url, p.remote, p.name, p.description, p.privacy, p.type, p.created_at, p.updated_at,
      ${actorSummarySql(sql`a`, sql`aa`)} AS owner,
      CASE WHEN c.id IS NULL THEN NULL ELSE ${actorSummarySql(sql`c`, sql`ca`)} END AS channel, (SELECT count(*)::int
        FROM playlist_elements WHERE playlist_id = p.id) AS length,
      coalesce((SELECT filename FROM thumbnails WHERE playlist_id = p.id), (SELECT t.filename FROM playlist_elements e
        JOIN videos v ON v.id = e.video_id JOIN thumbnails t ON t.video_id = v.id AND t.kind = 'thumbnail'
        WHERE e.playlist_id = p.id AND v.privacy = 1 AND v.state = 1 ORDER BY e.position, e.id LIMIT 1)) AS thumbnail
    ${FROM_PLAYLISTS} ${clauses}`)
  return rows.map(row => ({
    id: row.id,
    uuid: row.uuid,
    shortUUID: shortUuid(row.uuid),
    isLocal: !row.remote,
    url: row.url,
    displayName: row.name,
    description: row.description,
    privacy: { id: row.privacy, label: PLAYLIST_PRIVACY_LABELS[row.privacy]! },
    type: { id: row.type, label: PLAYLIST_TYPE_LABELS[row.type]! },
    thumbnailPath: row.thumbnail && imagePath('thumbnails', row.thumbnail),
    embedPath: `/video-playlists/embed/${row.uuid}`,
    videosLength: row.length,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    ownerAccount: row.owner,
    videoChannel: row.channel
  }))
}

const ELEMENT_TYPE = { VIDEO: 0, DELETED: 1, PRIVATE: 2, UNAVAILABLE: 3 } as const

/** Lists the elements of a playlist; where the viewer may not watch the video, only its position and the reason are returned. */
export async function listPlaylistElements(
  { id }: Pick<PlaylistRow, 'id'>,
  { start, count }: PlaylistPage,
  viewer: Viewer | null
): Promise<{ total: number; data: VideoPlaylistElement[] }> {
  const rows = await runQuery<{
    id: number
    position: number
    start_timestamp: number | null
    stop_timestamp: number | null
    uuid: string | null
    privacy: number | null
  }>(sql`
    SELECT e.id, e.position, e.start_timestamp, e.stop_timestamp, v.uuid, v.privacy FROM playlist_elements e
      LEFT JOIN videos v ON v.id = e.video_id WHERE e.playlist_id = ${id} ORDER BY e.position, e.id LIMIT ${count} OFFSET ${start}`)
  const uuids = rows.flatMap(({ uuid }) => (uuid === null ? [] : [uuid]))
  const { data } =
    uuids.length === 0
      ? { data: [] }
      : await listVideos({ start: 0, count: uuids.length, nsfw: 'both', skipCount: true }, viewer, {
          narrowed: { uuids },
          unlistedToo: true,
          ownToo: true
        })
  const videos = new Map(data.map(video => [video.uuid, video]))
  const [total] = await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM playlist_elements WHERE playlist_id = ${id}`)
  return {
    total: total!.count,
    data: rows.map(({ uuid, privacy, ...row }) => {
      const video = uuid === null ? null : (videos.get(uuid) ?? null)
      const type = video
        ? ELEMENT_TYPE.VIDEO
        : uuid === null
          ? ELEMENT_TYPE.DELETED
          : privacy === PLAYLIST_PRIVACY.PRIVATE
            ? ELEMENT_TYPE.PRIVATE
            : ELEMENT_TYPE.UNAVAILABLE
      return { id: row.id, position: row.position, startTimestamp: row.start_timestamp, stopTimestamp: row.stop_timestamp, type, video }
    })
  }
}

type PlaylistsByVideo = Record<
  string,
  {
    playlistElementId: number
    playlistId: number
    playlistDisplayName: string
    playlistShortUUID: string
    startTimestamp: number | null
    stopTimestamp: number | null
  }[]
>

/** Returns, by video id, the playlists of an account that contain the video. */
export async function findPlaylistsContaining(videoIds: number[], accountId: number): Promise<PlaylistsByVideo> {
  const rows = await runQuery<{
    id: number
    video_id: number
    playlist_id: number
    name: string
    uuid: string
    start_timestamp: number | null
    stop_timestamp: number | null
  }>(sql`
    SELECT e.id, e.video_id, e.playlist_id, p.name, p.uuid, e.start_timestamp, e.stop_timestamp FROM playlist_elements e
      JOIN playlists p ON p.id = e.playlist_id
    WHERE p.account_id = ${accountId} AND e.video_id = ANY(${videoIds}) ORDER BY e.id`)
  const playlistsByVideo: PlaylistsByVideo = Object.fromEntries(videoIds.map(id => [id, []]))
  for (const row of rows) {
    playlistsByVideo[row.video_id]!.push({
      playlistElementId: row.id,
      playlistId: row.playlist_id,
      playlistDisplayName: row.name,
      playlistShortUUID: shortUuid(row.uuid),
      startTimestamp: row.start_timestamp,
      stopTimestamp: row.stop_timestamp
    })
  }
  return playlistsByVideo
}
