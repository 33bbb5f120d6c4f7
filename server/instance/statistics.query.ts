import { z } from 'zod'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { instanceOrigin } from '../core/config.ts'
import { queryAs, sql, type Sql } from '../core/sql.ts'
import { COUNTED_ACTIVITIES } from '../fediverse/incoming.query.ts'
import { countPendingActivities, countProcessedActivities, processedActivitiesPerSecond } from '../fediverse/federation-counts.query.ts'

const number = z.coerce.number()
const StatisticsRow = z.object({
  totalUsers: number,
  totalDailyActiveUsers: number,
  totalWeeklyActiveUsers: number,
  totalMonthlyActiveUsers: number,
  activeHalfyear: number,
  totalModerators: number,
  totalAdmins: number,
  totalLocalVideos: number,
  totalLocalVideoViews: number,
  totalLocalVideoComments: number,
  totalLocalVideoFilesSize: number,
  totalVideos: number,
  totalVideoComments: number,
  totalLocalVideoChannels: number,
  totalLocalDailyActiveVideoChannels: number,
  totalLocalWeeklyActiveVideoChannels: number,
  totalLocalMonthlyActiveVideoChannels: number
})
/** Statistics from the database; sizes in bytes. */
export type StatisticsCounts = z.output<typeof StatisticsRow>

/** Counts users (active by last login), videos, channels (active by last publication) and stored bytes, in one statement. */
export async function countStatistics(): Promise<StatisticsCounts> {
  const [row] = await queryAs(
    StatisticsRow,
    sql`
    SELECT user_counts.*, video_counts.*, file_sizes.*, channel_counts.* FROM
      (SELECT count(*) AS "totalUsers", count(*) FILTER (WHERE role = 1) AS "totalModerators",
        count(*) FILTER (WHERE role = 0) AS "totalAdmins",
        count(*) FILTER (WHERE last_login_date > now() - interval '1 day') AS "totalDailyActiveUsers",
        count(*) FILTER (WHERE last_login_date > now() - interval '1 week') AS "totalWeeklyActiveUsers",
        count(*) FILTER (WHERE last_login_date > now() - interval '30 days') AS "totalMonthlyActiveUsers",
        count(*) FILTER (WHERE last_login_date > now() - interval '180 days') AS "activeHalfyear" FROM users) user_counts,
      (SELECT count(*) AS "totalVideos", count(*) FILTER (WHERE NOT remote) AS "totalLocalVideos",
        coalesce(sum(views) FILTER (WHERE NOT remote), 0) AS "totalLocalVideoViews",
        coalesce(sum(comments) FILTER (WHERE NOT remote), 0) AS "totalLocalVideoComments",
        coalesce(sum(comments), 0) AS "totalVideoComments" FROM videos) video_counts,
      (SELECT coalesce((SELECT sum(file.size) FROM video_files file
            JOIN streaming_playlists playlist ON playlist.id = file.streaming_playlist_id
            JOIN videos video ON video.id = playlist.video_id WHERE NOT video.remote), 0)
          + coalesce((SELECT sum(size) FROM video_sources WHERE filename IS NOT NULL), 0) AS "totalLocalVideoFilesSize") file_sizes,
      (SELECT count(*) AS "totalLocalVideoChannels",
        count(*) FILTER (WHERE published > now() - interval '1 day') AS "totalLocalDailyActiveVideoChannels",
        count(*) FILTER (WHERE published > now() - interval '1 week') AS "totalLocalWeeklyActiveVideoChannels",
        count(*) FILTER (WHERE published > now() - interval '30 days') AS "totalLocalMonthlyActiveVideoChannels"
        FROM (SELECT (SELECT max(published_at) FROM videos WHERE channel_id = channel.id AND state = 1) AS published
          FROM channels channel JOIN actors actor ON actor.id = channel.actor_id WHERE actor.host IS NULL) channel_activity) channel_counts`
  )
  return row!
}

const CommunityRow = z.object({
  totalLocalPlaylists: number,
  totalInstanceFollowers: number,
  totalInstanceFollowing: number,
  averageAbuseResponseTimeMs: number,
  totalAbuses: number,
  totalAbusesProcessed: number
})
const ABUSE_PENDING = 1
const PLAYLIST_PUBLIC = 1
/** Seconds over which the rate of processed activities is an average. */
const RATE_WINDOW = 3600

/** Counts public local playlists, accepted follows of and by the instance, and reports. */
async function countCommunity(): Promise<z.output<typeof CommunityRow>> {
  const isInstance = (actor: Sql) => sql`${actor}.url = ${`${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`}`
  const [row] = await queryAs(
    CommunityRow,
    sql`
    SELECT (SELECT count(*) FROM playlists WHERE NOT remote AND privacy = ${PLAYLIST_PUBLIC}) AS "totalLocalPlaylists",
      (SELECT count(*) FROM follows JOIN actors target ON target.id = follows.target_id
        WHERE ${isInstance(sql`target`)} AND follows.state = 'accepted') AS "totalInstanceFollowers",
      (SELECT count(*) FROM follows JOIN actors follower ON follower.id = follows.actor_id
        WHERE ${isInstance(sql`follower`)} AND follows.state = 'accepted') AS "totalInstanceFollowing",
      abuse_counts.* FROM (SELECT count(*) AS "totalAbuses", count(*) FILTER (WHERE state <> ${ABUSE_PENDING}) AS "totalAbusesProcessed",
        coalesce(round(avg(extract(epoch FROM updated_at - created_at)) FILTER (WHERE state <> ${ABUSE_PENDING}) * 1000), 0)
          AS "averageAbuseResponseTimeMs" FROM abuses) abuse_counts`
  )
  return row!
}

/** Counts received activities, by the types that PeerTube counts and in all. */
async function countActivities(): Promise<Record<string, number>> {
  const [processed, perSecond, pending] = await Promise.all([
    countProcessedActivities(),
    processedActivitiesPerSecond(RATE_WINDOW),
    countPendingActivities()
  ])
  const byType = new Map(processed.map(counts => [counts.type, counts]))
  const successes = processed.reduce((sum, { effective }) => sum + effective, 0)
  const errors = processed.reduce((sum, { ineffective }) => sum + ineffective, 0)
  return {
    totalActivityPubMessagesProcessed: successes + errors,
    totalActivityPubMessagesSuccesses: successes,
    totalActivityPubMessagesErrors: errors,
    ...Object.fromEntries(
      COUNTED_ACTIVITIES.flatMap(type => [
        [`totalActivityPub${type}MessagesSuccesses`, byType.get(type)?.effective ?? 0],
        [`totalActivityPub${type}MessagesErrors`, byType.get(type)?.ineffective ?? 0]
      ])
    ),
    activityPubMessagesProcessedPerSecond: perSecond,
    totalActivityPubMessagesWaiting: pending.incoming.waiting
  }
}

/** Returns the statistics as PeerTube's clients read them; those of features that this version does not have are 0. */
export async function getServerStatistics() {
  const [{ activeHalfyear: _not, ...counted }, community, activities] = await Promise.all([
    countStatistics(),
    countCommunity(),
    countActivities()
  ])
  return {
    ...counted,
    ...community,
    ...activities,
    averageRegistrationRequestResponseTimeMs: 0,
    totalRegistrationRequests: 0,
    totalRegistrationRequestsProcessed: 0,
    videosRedundancy: [{ strategy: 'manual', totalUsed: 0, totalVideos: 0, totalVideoFiles: 0, totalSize: null }]
  }
}
