import { z } from 'zod'
import { queryAs, sql } from '../core/sql.ts'

/** Kinds of federated messages that PeerTube counts. */
const ACTIVITIES = [
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
const Row = z.object({
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
/** Numbers counted in the database; sizes in bytes. */
export type StatisticsCounts = z.output<typeof Row>

/** Counts users (active by their last login), videos, channels (active by their last publication) and bytes, in one statement. */
export async function countStatistics(): Promise<StatisticsCounts> {
  const [row] = await queryAs(
    Row,
    sql`
    SELECT people.*, film.*, bytes.*, stations.* FROM
      (SELECT count(*) AS "totalUsers", count(*) FILTER (WHERE role = 1) AS "totalModerators", count(*) FILTER (WHERE role = 0) AS "totalAdmins",
        count(*) FILTER (WHERE last_login_date > now() - interval '1 day') AS "totalDailyActiveUsers",
        count(*) FILTER (WHERE last_login_date > now() - interval '1 week') AS "totalWeeklyActiveUsers",
        count(*) FILTER (WHERE last_login_date > now() - interval '30 days') AS "totalMonthlyActiveUsers",
        count(*) FILTER (WHERE last_login_date > now() - interval '180 days') AS "activeHalfyear" FROM users) people,
      (SELECT count(*) AS "totalVideos", count(*) FILTER (WHERE NOT remote) AS "totalLocalVideos",
        coalesce(sum(views) FILTER (WHERE NOT remote), 0) AS "totalLocalVideoViews",
        coalesce(sum(comments) FILTER (WHERE NOT remote), 0) AS "totalLocalVideoComments", coalesce(sum(comments), 0) AS "totalVideoComments" FROM videos) film,
      (SELECT coalesce((SELECT sum(file.size) FROM video_files file JOIN streaming_playlists playlist ON playlist.id = file.streaming_playlist_id
            JOIN videos video ON video.id = playlist.video_id WHERE NOT video.remote), 0)
          + coalesce((SELECT sum(size) FROM video_sources WHERE filename IS NOT NULL), 0) AS "totalLocalVideoFilesSize") bytes,
      (SELECT count(*) AS "totalLocalVideoChannels",
        count(*) FILTER (WHERE published > now() - interval '1 day') AS "totalLocalDailyActiveVideoChannels",
        count(*) FILTER (WHERE published > now() - interval '1 week') AS "totalLocalWeeklyActiveVideoChannels",
        count(*) FILTER (WHERE published > now() - interval '30 days') AS "totalLocalMonthlyActiveVideoChannels"
        FROM (SELECT (SELECT max(published_at) FROM videos WHERE channel_id = channel.id AND state = 1) AS published
          FROM channels channel JOIN actors actor ON actor.id = channel.actor_id WHERE actor.host IS NULL) station) stations`
  )
  return row!
}

/** The numbers as PeerTube's clients read them; what this version cannot do yet has happened zero times. */
export async function getServerStatistics() {
  const { activeHalfyear: _not, ...counted } = await countStatistics()
  const zero = (keys: string[]) => Object.fromEntries(keys.map(key => [key, 0]))
  return {
    ...counted,
    ...zero([
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
    ...zero(ACTIVITIES.map(type => `totalActivityPub${type}MessagesSuccesses`)),
    ...zero(ACTIVITIES.map(type => `totalActivityPub${type}MessagesErrors`)),
    videosRedundancy: [{ strategy: 'manual', totalUsed: 0, totalVideos: 0, totalVideoFiles: 0, totalSize: null }]
  }
}
