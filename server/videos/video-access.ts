import { z } from 'zod'
import { query, sql } from '../core/sql.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { countGuess, mayGuess } from './password-rate-limit.ts'
import { PRIVACY } from './video.model.ts'
import { canManage, canWatch } from './video.policy.ts'

/** What decides who may see a video. */
export type Guarded = { id: number; uuid: string; privacy: number; state: number; remote: boolean; ownerUserId: number | null }
const Row = z.object({
  id: z.int(),
  uuid: z.string(),
  privacy: z.int(),
  state: z.int(),
  remote: z.boolean(),
  ownerUserId: z.int().nullable()
})

/** How somebody asks for a video: who, from where, with which password. */
export type Asking = { viewer: Viewer | null; password?: string; ip?: string }

/** The guarded part of a video by number or UUID. Throws 404. */
export async function guardedVideo(id: number | string): Promise<Guarded> {
  const byId = typeof id === 'number' ? sql`v.id = ${id}` : sql`v.uuid = ${id}`
  const [video] = await query(
    Row,
    sql`
    SELECT v.id, v.uuid, v.privacy, v.state, v.remote, a.user_id AS "ownerUserId"
    FROM videos v JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id WHERE ${byId} AND v.gone_at IS NULL`
  )
  if (!video) throw notFound('Video')
  return video
}

/**
 * Lets the asking pass or throws what PeerTube's clients expect: 401 for strangers, 403 for others,
 * 403 video_requires_password or incorrect_video_password. Gives the id of the password that opened it.
 */
export async function assertMayWatch(video: Guarded, asked: number | string, asking: Asking): Promise<number | null> {
  // Numbers can be counted through, so an unlisted video is only found by its UUID.
  const guessed = typeof asked === 'number' && video.privacy === PRIVACY.UNLISTED && !canManage(asking.viewer, video)
  if (!guessed && canWatch(asking.viewer, video)) return null
  if (video.privacy === PRIVACY.PASSWORD) return await assertPassword(video, asking)
  if (!asking.viewer) throw new Problem(401, null, 'Not authenticated')
  throw new Problem(403, null, 'Cannot fetch information of private/internal/blocked video')
}

/** The video if the viewer owns it or moderates. Throws 403, 404. */
export async function managedVideo(id: number | string, viewer: Viewer): Promise<Guarded> {
  const video = await guardedVideo(id)
  if (video.remote) throw new Problem(403, null, 'Cannot manage a video of another server.')
  if (!canManage(viewer, video)) throw new Problem(403, null, 'Cannot manage a video of another user.')
  return video
}

async function assertPassword(video: Guarded, { password, ip }: Asking): Promise<number> {
  if (!password) throw new Problem(403, 'video_requires_password', 'Please provide a password to access this password protected video')
  if (!(await mayGuess(video.id, ip))) throw new Problem(429, 'too_many_requests', 'Too many wrong passwords, please try again later.')
  const [match] = await query(
    z.object({ id: z.int() }),
    sql`SELECT id FROM video_passwords WHERE video_id = ${video.id} AND password = ${password}`
  )
  if (match) return match.id
  await countGuess(video.id, ip)
  throw new Problem(403, 'incorrect_video_password', 'Incorrect video password. Access to the video is denied.')
}
