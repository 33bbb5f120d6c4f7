import { z } from 'zod'
import { queryAs, sql } from '../core/sql.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { attemptLimit } from '../core/attempt-limit.ts'
import { VIDEO_PRIVACY, VIDEO_STATE } from './video.model.ts'
import { canManageVideo, canWatchVideo } from './video.policy.ts'

/** The fields of a video that determine who may access it; `ownerUserId` is null for a remote video. */
export type VideoAccessInfo = { id: number; uuid: string; privacy: number; state: number; remote: boolean; ownerUserId: number | null }
const VideoAccessRow = z.object({
  id: z.int(),
  uuid: z.string(),
  privacy: z.int(),
  state: z.int(),
  remote: z.boolean(),
  ownerUserId: z.int().nullable()
})

/** The requester of a video: user, IP address and video password. */
export type VideoRequestContext = { viewer: Viewer | null; password?: string; ip?: string }

/** Returns the access fields of a video by numeric id or UUID. Throws 404. */
export async function findVideoAccessInfo(id: number | string): Promise<VideoAccessInfo> {
  const byId = typeof id === 'number' ? sql`v.id = ${id}` : sql`v.uuid = ${id}`
  const [video] = await queryAs(
    VideoAccessRow,
    sql`
    SELECT v.id, v.uuid, v.privacy, v.state, v.remote, a.user_id AS "ownerUserId"
    FROM videos v JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id WHERE ${byId} AND ${IS_THERE}`
  )
  if (!video) throw notFound('Video')
  return video
}

const IS_THERE = sql`v.gone_at IS NULL AND v.forbidden_privacy IS NULL`

/** Returns which of the UUIDs are those of videos whose files are served without authorization. */
export async function listOpenVideos(uuids: string[]): Promise<string[]> {
  const open = await queryAs(
    z.object({ uuid: z.string() }),
    sql`SELECT v.uuid FROM videos v
      WHERE v.uuid = ANY(${uuids}::uuid[]) AND v.privacy IN (${VIDEO_PRIVACY.PUBLIC}, ${VIDEO_PRIVACY.UNLISTED}) AND ${IS_THERE}`
  )
  return open.map(({ uuid }) => uuid)
}

/**
 * Checks that the requester may watch a video. Returns the id of the password that was needed, null if none was. Throws what PeerTube's
 * clients expect: 401 for anonymous requests, 403 for others, 403 video_requires_password or incorrect_video_password, 429 after too many
 * wrong passwords.
 */
export async function assertCanWatchVideo(
  video: VideoAccessInfo,
  requestedId: number | string,
  context: VideoRequestContext
): Promise<number | null> {
  // Numeric ids can be enumerated, so what is in no list is accessible by its UUID only: an unlisted video, and one that is not published yet.
  const isInNoList = video.privacy === VIDEO_PRIVACY.UNLISTED || (!video.remote && video.state !== VIDEO_STATE.PUBLISHED)
  const isGuessable = typeof requestedId === 'number' && isInNoList && !canManageVideo(context.viewer, video)
  if (!isGuessable && canWatchVideo(context.viewer, video)) return null
  if (video.privacy === VIDEO_PRIVACY.PASSWORD) return await assertPassword(video, context)
  if (!context.viewer) throw new Problem(401, null, 'Not authenticated')
  throw new Problem(403, null, 'Cannot fetch information of private/internal/blocked video')
}

/** Returns the access fields of a local video that the viewer owns or moderates. Throws 403, 404. */
export async function findManagedVideo(id: number | string, viewer: Viewer): Promise<VideoAccessInfo> {
  const video = await findVideoAccessInfo(id)
  if (video.remote) throw new Problem(403, null, 'Cannot manage a video of another server.')
  if (!canManageVideo(viewer, video)) throw new Problem(403, null, 'Cannot manage a video of another user.')
  return video
}

const wrongVideoPasswords = attemptLimit('video_password')

async function assertPassword(video: VideoAccessInfo, { password, ip }: VideoRequestContext): Promise<number> {
  if (!password) throw new Problem(403, 'video_requires_password', 'Please provide a password to access this password protected video')
  const attempt = { subject: String(video.id), ip }
  await wrongVideoPasswords.assertAllowed(attempt)
  const [match] = await queryAs(
    z.object({ id: z.int() }),
    sql`SELECT id FROM video_passwords WHERE video_id = ${video.id} AND password = ${password}`
  )
  if (match) return match.id
  await wrongVideoPasswords.count(attempt)
  throw new Problem(403, 'incorrect_video_password', 'Incorrect video password. Access to the video is denied.')
}
