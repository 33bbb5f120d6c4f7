import type { z } from 'zod'
import type { Video, VideoQuery } from '../../shared/videos.ts'
import { config, instanceHost } from '../core/config.ts'
import { paging } from '../core/paging.ts'
import { invalidParams, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { sqlAnd, runQuery, sql, type Sql } from '../core/sql.ts'
import type { Account, Channel } from '../../shared/actors.ts'
import { accountSql } from '../actors/account.shape.ts'
import { actorSummarySql } from '../actors/actor.shape.ts'
import { notBlockedSql } from '../actors/blocks.ts'
import { channelSql } from '../channels/channel.shape.ts'
import { followedCondition, maySeeUnfollowed } from './follow-constraints.ts'
import { addTokensToPictures, fileTokenHolder } from './video-file-token.ts'
import { VIDEO_PRIVACY } from './video.model.ts'
import { isModerator } from './video.policy.ts'
import { TORRENTS_SQL } from './torrent-links.ts'
import { REDUNDANCIES_SQL, REMOTE_VIDEO_FILES_SQL, remoteVideoFilesJson, type RemoteVideoFilesRow } from './remote-video.shape.ts'
import { localVideoFilesJson, videoJson, type VideoFileRow, type VideoListRow } from './video.shape.ts'
import { refreshViewerCounts } from './viewer-counts.ts'

/** The filters that the API accepts for a list of videos. */
export type VideoFilters = z.output<typeof VideoQuery>
/**
 * Which videos a list is about: all, those of a channel, of an account or of what an account (`followedBy`) follows. `mine`: the viewer's
 * own, in every state. `unlistedToo`: include unlisted videos, where the user gave their URL. `byMatch`: those whose names are nearest to the
 * searched text first (`-match`) or last. `ownToo`: include the viewer's own of every privacy. `followedOnly`: leave out remote videos that
 * this instance does not follow, for everybody or for those who may not fetch any by its URL.
 */
export type VideoListScope = {
  channelId?: number
  accountId?: number
  mine?: boolean
  followedBy?: number
  videoId?: number
  narrowed?: VideoSearchFilters
  unlistedToo?: boolean
  byMatch?: 'match' | '-match'
  ownToo?: boolean
  followedOnly?: 'for everybody' | 'for visitors'
}
/** Filters that only the search has; durations in seconds. */
export type VideoSearchFilters = {
  uuids?: string[]
  startDate?: Date
  endDate?: Date
  originallyPublishedStartDate?: Date
  originallyPublishedEndDate?: Date
  durationMin?: number
  durationMax?: number
}

/** Bits of `include`, as in PeerTube's API. */
const INCLUDE = { NOT_PUBLISHED: 1, FILES: 8 } as const

/** Columns of VideoListRow, from `videos v`. */
const LIST_COLUMNS = sql`
  v.id, v.uuid, v.url, v.remote, v.name, v.description, v.category, v.licence, v.language, v.nsfw, v.privacy, v.state, v.wait_transcoding,
  v.duration, v.aspect_ratio, v.views, v.likes, v.dislikes, v.comments, v.created_at, v.updated_at, v.published_at,
  v.originally_published_at, v.schedule_at, v.schedule_privacy, v.nsfw_summary, v.is_live,
  (SELECT filename FROM thumbnails WHERE video_id = v.id AND kind = 'thumbnail') AS thumbnail,
  (SELECT filename FROM thumbnails WHERE video_id = v.id AND kind = 'preview') AS preview`
/** `videos v`, its channel `c` with actor `ca` and its account `a` with actor `aa`. */
const FROM_VIDEOS = sql`
  FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id
  JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id`

/**
 * The renditions of playlist `p` as JSON, highest resolution first, including those still being encoded, which play already. Of several
 * audio tracks only the default one; the others are in the HLS playlist only.
 */
export const VIDEO_FILES_SQL = sql`(SELECT coalesce(json_agg(json_build_object('id', f.id, 'web_video_id', f.web_video_id,
  'hls', f.hls, 'web_video', f.web_video, 'torrents', ${TORRENTS_SQL},
  'resolution', f.resolution, 'width', f.width, 'height', f.height, 'fps', f.fps, 'size', f.size, 'whole_size', f.whole_size,
  'filename', f.filename, 'playlist_filename', f.playlist_filename, 'has_audio', f.has_audio, 'has_video', f.has_video)
  ORDER BY f.resolution DESC), '[]')
  FROM video_files f WHERE f.streaming_playlist_id = p.id AND f.track = 0)`

/**
 * Returns a page of the videos that the viewer may list; without `total`, which is not counted then, where `skipCount` is set. Throws 400 for
 * a filter by what an anonymous viewer has watched, 401 for filters reserved for moderators.
 */
export async function listVideos(
  filters: VideoFilters,
  viewer: Viewer | null,
  scope: VideoListScope = {}
): Promise<{ total?: number; data: Video[] }> {
  const { start, count } = paging(filters)
  assertFiltersAllowed(filters, viewer, scope)
  const where = sqlAnd([...conditions(filters, viewer, scope), ...(await followConditions(viewer, scope))])
  const rows = await runQuery<VideoListRow>(sql`
    SELECT ${LIST_COLUMNS}, ${actorSummarySql(sql`a`, sql`aa`)} AS account, ${actorSummarySql(sql`c`, sql`ca`)} AS channel
    ${FROM_VIDEOS} WHERE ${where} ORDER BY ${orderOf(filters, scope)} LIMIT ${count} OFFSET ${start}`)
  const filesById = hasBits(filters.include, INCLUDE.FILES) ? await filesOfVideos(rows) : new Map()
  await refreshViewerCounts()
  const showState = scope.mine === true || filters.include !== undefined
  return {
    ...(filters.skipCount ? {} : { total: await countVideos(where) }),
    data: await Promise.all(
      rows.map(async row => ({
        ...(await addTokensToPictures(videoJson(row, showState), fileTokenHolder(viewer))),
        ...(filters.include === undefined ? {} : { blockedOwner: false, blockedServer: false }),
        ...filesById.get(row.id)
      }))
    )
  }
}

/** Returns videos that the viewer may see as API JSON by id; ids that do not exist are missing. */
export async function listVideosById(ids: number[], viewer: Viewer): Promise<Map<number, Video>> {
  const rows = await runQuery<VideoListRow>(sql`
    SELECT ${LIST_COLUMNS}, ${actorSummarySql(sql`a`, sql`aa`)} AS account, ${actorSummarySql(sql`c`, sql`ca`)} AS channel
    ${FROM_VIDEOS} WHERE v.id = ANY(${ids}::int[])`)
  await refreshViewerCounts()
  const holder = fileTokenHolder(viewer)
  return new Map(await Promise.all(rows.map(async row => [row.id, await addTokensToPictures(videoJson(row, false), holder)] as const)))
}

async function countVideos(where: Sql): Promise<number> {
  const [row] = await runQuery<{ total: string }>(sql`SELECT count(*) AS total ${FROM_VIDEOS} WHERE ${where}`)
  return Number(row!.total)
}

/** Returns the files of videos as API JSON, by video id. */
async function filesOfVideos(rows: VideoListRow[]): Promise<Map<number, Pick<Video, 'streamingPlaylists' | 'files'>>> {
  const playlists = await runQuery<{
    video_id: number
    id: number
    playlist_filename: string
    segments_sha256_filename: string | null
    redundancies: { baseUrl: string }[]
    files: VideoFileRow[]
  }>(
    sql`SELECT p.video_id, p.id, p.playlist_filename, p.segments_sha256_filename, ${REDUNDANCIES_SQL} AS redundancies,
      ${VIDEO_FILES_SQL} AS files FROM streaming_playlists p JOIN videos v ON v.id = p.video_id
      WHERE v.id = ANY(${rows.map(row => row.id)})`
  )
  const remoteRows = await runQuery<{ id: number; remote: RemoteVideoFilesRow }>(
    sql`SELECT v.id, ${REMOTE_VIDEO_FILES_SQL} AS remote FROM videos v WHERE v.remote AND v.id = ANY(${rows.map(row => row.id)})`
  )
  const remoteFiles = new Map(remoteRows.map(row => [row.id, row.remote]))
  return new Map(
    rows.map(row => [
      row.id,
      remoteFiles.has(row.id)
        ? remoteVideoFilesJson(row, remoteFiles.get(row.id)!)
        : localVideoFilesJson(
            row,
            playlists.filter(playlist => playlist.video_id === row.id)
          )
    ])
  )
}

function conditions(filters: VideoFilters, viewer: Viewer | null, scope: VideoListScope): Sql[] {
  const list: Sql[] = []
  if (scope.channelId !== undefined) list.push(sql`v.channel_id = ${scope.channelId}`)
  if (scope.accountId !== undefined) list.push(sql`c.account_id = ${scope.accountId}`)
  if (scope.followedBy !== undefined) {
    list.push(
      sql`EXISTS (SELECT 1 FROM follows JOIN accounts me ON me.actor_id = follows.actor_id
        WHERE me.id = ${scope.followedBy} AND follows.state = 'accepted' AND follows.target_id IN (c.actor_id, a.actor_id))`
    )
  }
  if (scope.videoId !== undefined) list.push(sql`v.id = ${scope.videoId}`)
  if (scope.narrowed) list.push(...searchConditions(scope.narrowed))
  if (!scope.mine) list.push(...visibilityConditions(filters, viewer, scope), notBlockedCondition(viewer))
  else if (filters.privacyOneOf) list.push(sql`v.privacy = ANY(${filters.privacyOneOf})`)
  if (filters.isLocal !== undefined) list.push(sql`v.remote = ${!filters.isLocal}`)
  if (filters.isLive !== undefined) list.push(sql`v.is_live = ${filters.isLive}`)
  const hasFiles = filters.hasWebVideoFiles ?? filters.hasWebtorrentFiles
  if (hasFiles !== undefined)
    list.push(
      sql`(EXISTS (SELECT 1 FROM remote_files f WHERE f.video_id = v.id AND NOT f.hls) OR ${config.transcoding.web_videos.enabled}
        AND EXISTS (SELECT 1 FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
          WHERE p.video_id = v.id AND f.has_video AND f.web_video AND f.whole_size IS NOT NULL)) = ${hasFiles}`
    )
  if (filters.hasHLSFiles !== undefined)
    list.push(
      sql`(EXISTS (SELECT 1 FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id WHERE p.video_id = v.id AND f.hls)
        OR EXISTS (SELECT 1 FROM remote_playlists p WHERE p.video_id = v.id)) = ${filters.hasHLSFiles}`
    )
  if (filters.categoryOneOf) list.push(sql`v.category = ANY(${filters.categoryOneOf})`)
  if (filters.licenceOneOf) list.push(sql`v.licence = ANY(${filters.licenceOneOf})`)
  if (filters.languageOneOf)
    list.push(sql`(v.language = ANY(${filters.languageOneOf}) OR (v.language IS NULL AND ${filters.languageOneOf.includes('_unknown')}))`)
  if (filters.tagsOneOf)
    list.push(sql`EXISTS (SELECT 1 FROM unnest(v.tags) tag WHERE lower(tag) = ANY(${filters.tagsOneOf.map(tag => tag.toLowerCase())}))`)
  if (filters.tagsAllOf)
    list.push(sql`(SELECT array_agg(lower(tag)) FROM unnest(v.tags) tag) @> ${filters.tagsAllOf.map(tag => tag.toLowerCase())}::text[]`)
  // Videos get no automatic tags here.
  if (filters.autoTagOneOf) list.push(sql`FALSE`)
  if (filters.search) list.push(sql`unaccent(lower(v.name)) LIKE '%' || unaccent(${escapeLikePattern(filters.search)}) || '%'`)
  if (filters.host) {
    const host = filters.host.toLowerCase()
    list.push(host === instanceHost().toLowerCase() ? sql`NOT v.remote` : sql`lower(ca.host) = ${host}`)
  }
  const nsfw = scope.mine
    ? 'both'
    : (filters.nsfw ?? ((viewer?.nsfwPolicy ?? config.instance.default_nsfw_policy) === 'do_not_list' ? 'false' : 'both'))
  if (nsfw !== 'both') list.push(sql`v.nsfw = ${nsfw === 'true'}`)
  return list
}

function searchConditions({
  uuids,
  startDate,
  endDate,
  originallyPublishedStartDate,
  originallyPublishedEndDate,
  durationMin,
  durationMax
}: VideoSearchFilters): Sql[] {
  const list: Sql[] = []
  if (uuids) list.push(sql`v.uuid = ANY(${uuids}::uuid[])`)
  if (startDate) list.push(sql`v.published_at >= ${startDate}`)
  if (endDate) list.push(sql`v.published_at <= ${endDate}`)
  if (originallyPublishedStartDate) list.push(sql`v.originally_published_at >= ${originallyPublishedStartDate}`)
  if (originallyPublishedEndDate) list.push(sql`v.originally_published_at <= ${originallyPublishedEndDate}`)
  if (durationMin !== undefined) list.push(sql`v.duration >= ${durationMin}`)
  if (durationMax !== undefined) list.push(sql`v.duration <= ${durationMax}`)
  return list
}

async function followConditions(viewer: Viewer | null, { followedOnly }: VideoListScope): Promise<Sql[]> {
  if (!followedOnly || (followedOnly === 'for visitors' && maySeeUnfollowed(viewer))) return []
  return [await followedCondition({ video: sql`v`, channelActor: sql`ca`, accountActor: sql`aa` })]
}

/** Excludes the hosts and accounts that this instance or the viewer blocked. */
const notBlockedCondition = (viewer: Viewer | null) => notBlockedSql({ actorId: sql`aa.id`, host: sql`ca.host` }, viewer?.id ?? null)

/** Throws 400 where a filter needs a user, 401 where only moderators may use the filters. */
function assertFiltersAllowed(filters: VideoFilters, viewer: Viewer | null, { mine }: VideoListScope): void {
  if (filters.excludeAlreadyWatched && !viewer)
    throw invalidParams([
      {
        type: 'field',
        value: filters.excludeAlreadyWatched,
        msg: 'Should be sent with the token of a user',
        path: 'excludeAlreadyWatched',
        location: 'query'
      }
    ])
  const includesHidden = (filters.include ?? 0) !== 0 || filters.privacyOneOf?.some(privacy => privacy !== VIDEO_PRIVACY.PUBLIC)
  if (((includesHidden && !mine) || filters.autoTagOneOf) && !isModerator(viewer))
    throw new Problem(401, null, 'You are not allowed to see all videos, specify a custom include or auto tags filter.')
}

function visibilityConditions(filters: VideoFilters, viewer: Viewer | null, { unlistedToo, ownToo }: VideoListScope): Sql[] {
  const list: Sql[] = []
  if (filters.privacyOneOf) list.push(sql`v.privacy = ANY(${filters.privacyOneOf})`)
  else {
    const visiblePrivacies: number[] = [VIDEO_PRIVACY.PUBLIC]
    if (viewer) visiblePrivacies.push(VIDEO_PRIVACY.INTERNAL)
    if (unlistedToo) visiblePrivacies.push(VIDEO_PRIVACY.UNLISTED)
    const own = ownToo && viewer ? sql`OR c.account_id = ${viewer.accountId}` : sql``
    list.push(sql`(v.privacy = ANY(${visiblePrivacies}) ${own})`)
  }
  if (!hasBits(filters.include, INCLUDE.NOT_PUBLISHED)) list.push(sql`v.state = 1`)
  return list
}

const hasBits = (value: number | undefined, mask: number): boolean => ((value ?? 0) & mask) !== 0
const escapeLikePattern = (text: string): string => text.toLowerCase().replace(/[\\%_]/g, '\\$&')

/** Logarithm of the interactions plus the date: ten times the interactions count as much as being three days newer. */
const HOTNESS = sql`(log(greatest(1, v.likes * 3 + v.views + v.comments * 6)) + extract(epoch FROM v.published_at) / 86400 / 3)`
const SORT_EXPRESSIONS: Record<string, () => Sql> = {
  name: () => sql`lower(v.name)`,
  duration: () => sql`v.duration`,
  createdAt: () => sql`v.created_at`,
  publishedAt: () => sql`v.published_at`,
  originallyPublishedAt: () => sql`coalesce(v.originally_published_at, v.published_at)`,
  views: () => sql`v.views`,
  likes: () => sql`v.likes`,
  comments: () => sql`v.comments`,
  hot: () => HOTNESS,
  best: () => HOTNESS,
  trending: () =>
    sql`(CASE WHEN v.published_at > now() - make_interval(days => ${config.trending.videos.interval_days}::int) THEN v.views
      ELSE v.views / 1000.0 END)`
}

function orderOf({ sort, search }: VideoFilters, { byMatch }: VideoListScope): Sql {
  if (!byMatch || !search) return orderBy(sort ?? '-publishedAt')
  const nearness = sql`similarity(unaccent(lower(v.name)), unaccent(${search.toLowerCase()}))`
  return byMatch === '-match' ? sql`${nearness} DESC, v.published_at DESC, v.id DESC` : sql`${nearness}, v.published_at, v.id`
}

function orderBy(sort: string): Sql {
  const column = SORT_EXPRESSIONS[sort.replace(/^-/, '')]!()
  return sort.startsWith('-') ? sql`${column} DESC, v.id DESC` : sql`${column} ASC, v.id ASC`
}

/** A row of the query of a video's details. */
export type VideoDetailsRow = Omit<VideoListRow, 'account' | 'channel'> & {
  account: Account
  channel: Channel
  support: string | null
  tags: string[]
  comments_policy: number
  download_enabled: boolean
  input_file_updated_at: Date | null
  owner_user_id: number | null
  tracker_urls: string[]
  remote_files: RemoteVideoFilesRow | null
  playlist: {
    id: number
    playlist_filename: string
    segments_sha256_filename: string | null
    redundancies: { baseUrl: string }[]
    files: VideoFileRow[]
  } | null
}

/** Returns the details of a video by its numeric id; null if there is none. */
export async function findVideoDetailsRow(id: number): Promise<VideoDetailsRow | null> {
  const [row] = await runQuery<VideoDetailsRow>(sql`
    SELECT ${LIST_COLUMNS}, v.support, v.tags, v.comments_policy, v.download_enabled, v.input_file_updated_at, v.tracker_urls,
      a.user_id AS owner_user_id, ${REMOTE_VIDEO_FILES_SQL} AS remote_files,
      ${accountSql(sql`a`, sql`aa`)} AS account, ${channelSql(sql`c`, sql`ca`, accountSql(sql`a`, sql`aa`))} AS channel,
      (SELECT json_build_object('id', p.id, 'playlist_filename', p.playlist_filename,
          'segments_sha256_filename', p.segments_sha256_filename, 'redundancies', ${REDUNDANCIES_SQL}, 'files', ${VIDEO_FILES_SQL})
        FROM streaming_playlists p WHERE p.video_id = v.id) AS playlist
    ${FROM_VIDEOS} WHERE v.id = ${id}`)
  return row ?? null
}
