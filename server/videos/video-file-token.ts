import type { Video } from '../../shared/videos.ts'
import { config } from '../core/config.ts'
import { signValue, verifySignedValue } from '../core/hmac.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { VIDEO_PRIVACY } from './video.model.ts'
import type { VideoAccessInfo } from './video-access.ts'
import { canManageVideo, canWatchVideo, isPublicOrUnlisted } from './video.policy.ts'

const PURPOSE = 'video-files'
/** The signed content of a token; `expires` in ms since 1970. */
type TokenClaim = [videoId: number, userId: number | null, passwordId: number | null, expires: number]

type ListedVideo = Pick<Video, 'id' | 'privacy' | 'thumbnailPath' | 'previewPath'>

/** Whom a token is for: a user, or whoever knows a password of the video; the other id is null. */
export type FileTokenHolder = { userId: number | null; passwordId: number | null }

/** The holder of a token: who gave this password (its id), else the user. */
export function fileTokenHolder(viewer: Pick<Viewer, 'id'> | null, passwordId: number | null = null): FileTokenHolder {
  return { userId: passwordId === null ? (viewer?.id ?? null) : null, passwordId }
}

/** Creates a token that gives its holder access to a video's files for `video_file.token_lifetime`. */
export async function createVideoFileToken(videoId: number, holder: FileTokenHolder): Promise<{ token: string; expires: Date }> {
  const expires = new Date(Date.now() + config.video_file.token_lifetime)
  return { token: await signToken(videoId, holder, expires.getTime()), expires }
}

/** How long (ms) paths of pictures stay equal, so that browsers have them in their caches. */
const PATH_PERIOD = 60 * 60_000

/**
 * Returns the path of a picture or of captions of a video for somebody who may watch it: with a token in the query, which elements of a page
 * and clients that only know the path cannot send otherwise; as it is where anybody may have the file.
 */
export async function addFileToken(path: string, video: { id: number; privacy: number }, holder: FileTokenHolder): Promise<string> {
  if (isPublicOrUnlisted(video.privacy) || (holder.userId ?? holder.passwordId) === null) return path
  const expires = Math.ceil((Date.now() + config.video_file.token_lifetime) / PATH_PERIOD) * PATH_PERIOD
  return `${path}?videoFileToken=${await signToken(video.id, holder, expires)}`
}

/** Returns a video of the API whose pictures the holder can load (`addFileToken`). */
export async function addTokensToPictures<V extends ListedVideo>(video: V, holder: FileTokenHolder): Promise<V> {
  const privacy = Number(video.privacy.id)
  if (isPublicOrUnlisted(privacy)) return video
  const withToken = async (path: string | null): Promise<string | null> =>
    path && (await addFileToken(path, { id: video.id, privacy }, holder))
  return { ...video, thumbnailPath: await withToken(video.thumbnailPath), previewPath: await withToken(video.previewPath) }
}

async function signToken(videoId: number, { userId, passwordId }: FileTokenHolder, expires: number): Promise<string> {
  const claim: TokenClaim = [videoId, userId, passwordId, expires]
  return await signValue(PURPOSE, claim)
}

/**
 * Returns null unless the token gives access to the video now, that is, its user may still watch or its password still exists; `manages`:
 * its user may change the video.
 */
export async function verifyVideoFileToken(token: unknown, video: VideoAccessInfo): Promise<{ manages: boolean } | null> {
  const claim = typeof token === 'string' ? ((await verifySignedValue(PURPOSE, token)) as TokenClaim | null) : null
  if (!claim) return null
  const [videoId, userId, passwordId, expires] = claim
  if (videoId !== video.id || expires < Date.now()) return null
  if (passwordId !== null) {
    if (video.privacy !== VIDEO_PRIVACY.PASSWORD) return null
    const passwords = await runQuery(sql`SELECT 1 FROM video_passwords WHERE id = ${passwordId} AND video_id = ${video.id}`)
    return passwords.length > 0 ? { manages: false } : null
  }
  const [viewer] = await runQuery<Pick<Viewer, 'id' | 'role'>>(sql`SELECT id, role FROM users WHERE id = ${userId} AND NOT blocked`)
  return viewer && canWatchVideo(viewer, video) ? { manages: canManageVideo(viewer, video) } : null
}
