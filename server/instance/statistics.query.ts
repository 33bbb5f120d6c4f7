import { z } from 'zod'
import { queryAs, sql } from '../core/sql.ts'

/** Activity types that PeerTube counts. */
const COUNTED_ACTIVITIES = [
  'Create',
  'Update',
  'Delete',
  'Follow',
  'Accept',
  'Reject',
  'Announce',
  'Undo',
  'Like',
  'Dislike',
  'Flag',
  'View',
  'ApproveReply',
  'RejectReply'
]

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

/** Returns the statistics as PeerTube's clients read them; those of features that this version does not have are 0. */
export async function getServerStatistics() {
  const { activeHalfyear: _not, ...counted } = await countStatistics()
  const zeros = (keys: string[]) => Object.fromEntries(keys.map(key => [key, 0]))
  return {
    ...counted,
    ...zeros([
      'totalLocalPlaylists',
      'totalInstanceFollowers',
      'totalInstanceFollowing',
      'averageAbuseResponseTimeMs',
      'totalAbuses',
      'totalAbusesProcessed',
      'averageRegistrationRequestResponseTimeMs',
      'totalRegistrationRequests',
      'totalRegistrationRequestsProcessed',
      'totalActivityPubMessagesProcessed',
      'totalActivityPubMessagesSuccesses',
      'totalActivityPubMessagesErrors',
      'activityPubMessagesProcessedPerSecond',
      'totalActivityPubMessagesWaiting'
    ]),
    ...zeros(COUNTED_ACTIVITIES.map(type => `totalActivityPub${type}MessagesSuccesses`)),
    ...zeros(COUNTED_ACTIVITIES.map(type => `totalActivityPub${type}MessagesErrors`)),
    videosRedundancy: [{ strategy: 'manual', totalUsed: 0, totalVideos: 0, totalVideoFiles: 0, totalSize: null }]
  }
}
