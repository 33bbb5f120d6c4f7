import { z } from 'zod'
import { AdminAbuse, UserAbuse, type abusesContract } from '../../shared/abuses.ts'
import { paging } from '../core/paging.ts'
import type { Viewer } from '../core/route.ts'
import { sqlAnd, queryAs, runQuery, sql, type Sql } from '../core/sql.ts'
import { accountSql } from '../actors/account.shape.ts'
import { actorSummarySql, bannersSql, isoTimestampSql } from '../actors/actor.shape.ts'
import { notBlockedSql } from '../actors/blocks.ts'
import { findVideoAccessInfo } from '../videos/video-access.ts'
import { addFileToken, fileTokenHolder } from '../videos/video-file-token.ts'
import { VIDEO_PRIVACY } from '../videos/video.model.ts'

type AdminAbuseFilters = z.output<(typeof abusesContract)['GET /abuses']['query']>
type UserAbuseFilters = z.output<(typeof abusesContract)['GET /users/me/abuses']['query']>

const FROM_ABUSES = sql`
  FROM abuses abuse
  LEFT JOIN accounts reporter ON reporter.id = abuse.reporter_id LEFT JOIN actors reporter_actor ON reporter_actor.id = reporter.actor_id
  LEFT JOIN accounts flagged ON flagged.id = abuse.flagged_id LEFT JOIN actors flagged_actor ON flagged_actor.id = flagged.actor_id
  LEFT JOIN videos video ON video.id = abuse.video_id LEFT JOIN channels channel ON channel.id = video.channel_id
    LEFT JOIN actors channel_actor ON channel_actor.id = channel.actor_id
  LEFT JOIN comments comment ON comment.id = abuse.comment_id LEFT JOIN videos commented ON commented.id = comment.video_id`

/** Lists reports for moderators, without those of reporters whom the instance or the moderator has blocked. */
export async function listAbuses(filters: AdminAbuseFilters, viewer: Viewer): Promise<{ total: number; data: AdminAbuse[] }> {
  const { predefinedReason, searchReporter, searchReportee, searchVideo, searchVideoChannel, videoIs, filter } = filters
  const conditions = commonConditions(filters, viewer)
  conditions.push(reporterNotBlockedSql(sql`abuse`, viewer))
  if (predefinedReason) conditions.push(sql`${predefinedReason} = ANY(abuse.predefined_reasons)`)
  if (filter) conditions.push(sql`abuse.kind = ${filter}`)
  if (searchReporter) conditions.push(actorMatches(sql`reporter`, sql`reporter_actor`, searchReporter))
  if (searchReportee) conditions.push(actorMatches(sql`flagged`, sql`flagged_actor`, searchReportee))
  if (searchVideo) conditions.push(containsText(sql`coalesce(video.name, abuse.deleted_video->>'name')`, searchVideo))
  if (searchVideoChannel)
    conditions.push(
      sql`(${actorMatches(sql`channel`, sql`channel_actor`, searchVideoChannel)} OR (video.id IS NULL
        AND (${containsText(sql`abuse.deleted_video->'channel'->>'name'`, searchVideoChannel)}
          OR ${containsText(sql`abuse.deleted_video->'channel'->>'displayName'`, searchVideoChannel)})))`
    )
  if (videoIs === 'deleted') conditions.push(sql`abuse.kind = 'video' AND video.id IS NULL`)
  // Videos are never blocked here.
  if (videoIs === 'blacklisted') conditions.push(sql`FALSE`)
  const { total, data } = await queryAbuses(
    AdminAbuse,
    sql`${abuseJsonSql(viewer)} || jsonb_build_object('moderationComment', abuse.moderation_comment,
    'reporterAccount', ${nullUnlessJoined(sql`reporter`, accountSql(sql`reporter`, sql`reporter_actor`))},
    'countReportsForReporter', (SELECT count(*)::int FROM abuses other WHERE other.reporter_id = abuse.reporter_id),
    'countReportsForReportee', (SELECT count(*)::int ${othersOf(viewer)} AND other.flagged_id = abuse.flagged_id))`,
    conditions,
    filters
  )
  return { total, data: await Promise.all(data.map(async abuse => await addTokenToPicture(abuse, viewer))) }
}

/** Lists the reports of an account with their state. */
export async function listMyAbuses(filters: UserAbuseFilters, accountId: number): Promise<{ total: number; data: UserAbuse[] }> {
  return await queryAbuses(
    UserAbuse,
    abuseJsonSql(null),
    [...commonConditions(filters, null), sql`abuse.reporter_id = ${accountId}`],
    filters
  )
}

async function queryAbuses<T extends z.ZodType>(
  schema: T,
  json: Sql,
  conditions: Sql[],
  filters: UserAbuseFilters
): Promise<{ total: number; data: z.output<T>[] }> {
  const { start, count } = paging(filters)
  const where = sqlAnd(conditions)
  const rows = await runQuery<{ json: unknown }>(
    sql`SELECT ${json} AS json ${FROM_ABUSES} WHERE ${where} ORDER BY ${orderBy(filters.sort ?? '-createdAt')}
      LIMIT ${count} OFFSET ${start}`
  )
  const [counted] = await queryAs(z.object({ total: z.int() }), sql`SELECT count(*)::int AS total ${FROM_ABUSES} WHERE ${where}`)
  return { total: counted!.total, data: rows.map(({ json }) => schema.parse(json)) }
}

/** Gives the moderator a token for the picture of a reported video that is not open to everybody. */
async function addTokenToPicture(abuse: AdminAbuse, moderator: Viewer): Promise<AdminAbuse> {
  const { video } = abuse
  if (!video?.thumbnailPath || video.id === null) return abuse
  const access = await findVideoAccessInfo(video.id).catch(() => null)
  return access
    ? { ...abuse, video: { ...video, thumbnailPath: await addFileToken(video.thumbnailPath, access, fileTokenHolder(moderator)) } }
    : abuse
}

function commonConditions({ id, state, search }: UserAbuseFilters, moderator: Viewer | null): Sql[] {
  const conditions: Sql[] = []
  if (id !== undefined) conditions.push(sql`abuse.id = ${id}`)
  if (state !== undefined) conditions.push(sql`abuse.state = ${state}`)
  if (search)
    conditions.push(
      sql`(${containsText(sql`abuse.reason`, search)} OR ${containsText(videoNameSql(moderator), search)}
        OR ${actorMatches(sql`reporter`, sql`reporter_actor`, search)} OR ${actorMatches(sql`flagged`, sql`flagged_actor`, search)})`
    )
  return conditions
}

function orderBy(sort: NonNullable<UserAbuseFilters['sort']>): Sql {
  const name = sort.replace('-', '')
  const column = name === 'id' ? sql`abuse.id` : name === 'state' ? sql`abuse.state` : sql`abuse.created_at`
  return sort.startsWith('-') ? sql`${column} DESC, abuse.id DESC` : sql`${column}, abuse.id`
}

/** The condition that neither the instance nor the moderator has blocked the reporter. */
const reporterNotBlockedSql = (abuse: Sql, moderator: Viewer) =>
  notBlockedSql(
    { actorId: sql`(SELECT actor_id FROM accounts WHERE accounts.id = ${abuse}.reporter_id)`, host: sql`${abuse}.reporter_host` },
    moderator.id
  )
const othersOf = (moderator: Viewer) => sql`FROM abuses other WHERE ${reporterNotBlockedSql(sql`other`, moderator)}`
const containsText = (column: Sql, text: string) => sql`coalesce(${column} ILIKE ${`%${text.replace(/[\\%_]/g, '\\$&')}%`}, false)`
const actorMatches = (owner: Sql, actor: Sql, text: string) =>
  sql`(${containsText(sql`${owner}.name`, text)} OR ${containsText(sql`${actor}.preferred_username`, text)})`
const nullUnlessJoined = (owner: Sql, json: Sql) => sql`CASE WHEN ${owner}.id IS NOT NULL THEN ${json} END`

const isOpenSql = (video: Sql) => sql`${video}.privacy IN (${VIDEO_PRIVACY.PUBLIC}, ${VIDEO_PRIVACY.UNLISTED})`
/** The name of a reported video; to who reported it that of then where they may not see it any more. */
const videoNameSql = (moderator: Viewer | null) =>
  moderator
    ? sql`coalesce(video.name, abuse.deleted_video->>'name')`
    : sql`coalesce(CASE WHEN ${isOpenSql(sql`video`)} THEN video.name END, abuse.deleted_video->>'name', '')`

/** The JSON of a UserAbuse; for a moderator with the number of reports of the video. */
function abuseJsonSql(moderator: Viewer | null): Sql {
  const counts = moderator
    ? sql`, 'countReports', (SELECT count(*)::int ${othersOf(moderator)} AND other.video_id = abuse.video_id),
      'nthReport', (SELECT count(*)::int ${othersOf(moderator)} AND other.video_id = abuse.video_id AND other.id <= abuse.id)`
    : sql``
  return sql`jsonb_build_object('id', abuse.id, 'reason', abuse.reason, 'predefinedReasons', abuse.predefined_reasons,
    'countMessages', (SELECT count(*)::int FROM abuse_messages WHERE abuse_id = abuse.id),
    'state', json_build_object('id', abuse.state, 'label', CASE abuse.state WHEN 1 THEN 'Pending' WHEN 2 THEN 'Rejected'
      ELSE 'Accepted' END),
    'createdAt', ${isoTimestampSql(sql`abuse.created_at`)}, 'updatedAt', ${isoTimestampSql(sql`abuse.updated_at`)},
      'flaggedAccount', ${nullUnlessJoined(sql`flagged`, accountSql(sql`flagged`, sql`flagged_actor`))},
    'video', CASE WHEN abuse.kind = 'video' THEN jsonb_build_object('id',
      coalesce(video.id, (abuse.deleted_video->>'id')::int), 'uuid', coalesce(video.uuid::text,
      abuse.deleted_video->>'uuid'), 'name', ${videoNameSql(moderator)},
      'nsfw', coalesce(video.nsfw, (abuse.deleted_video->>'nsfw')::boolean), 'startAt', abuse.start_at, 'endAt', abuse.end_at,
        'deleted', video.id IS NULL, 'blacklisted', false,
      'thumbnailPath', (SELECT '/lazy-static/thumbnails/' || filename FROM thumbnails WHERE video_id = video.id AND kind = 'thumbnail'
        AND ${moderator ? sql`true` : isOpenSql(sql`video`)}),
      'channel', coalesce(${nullUnlessJoined(
        sql`channel`,
        sql`${actorSummarySql(sql`channel`, sql`channel_actor`)}::jsonb || jsonb_build_object('isLocal', channel_actor.host IS NULL,
          'description', channel.description, 'banners', ${bannersSql(sql`channel_actor`)}, 'hostRedundancyAllowed', false)`
      )}, '{"description": null, "banners": [], "hostRedundancyAllowed": false}'::jsonb || (abuse.deleted_video->'channel'))${counts}) END,
    'comment', CASE WHEN abuse.kind = 'comment' THEN json_build_object('id', comment.id, 'threadId', coalesce(comment.thread_id,
      comment.id), 'text', coalesce(comment.text, ''), 'deleted', comment.id IS NULL OR comment.deleted_at IS NOT NULL,
      'video', CASE WHEN ${moderator ? sql`commented.id IS NOT NULL` : isOpenSql(sql`commented`)} THEN
        json_build_object('id', commented.id, 'uuid', commented.uuid, 'name', commented.name) END) END)`
}
