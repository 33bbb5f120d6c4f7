import { config } from '../core/config.ts'
import { signValue, verifySignedValue } from '../core/hmac.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { VIDEO_PRIVACY } from './video.model.ts'
import type { VideoAccessInfo } from './video-access.ts'
import { canManageVideo, canWatchVideo } from './video.policy.ts'

const PURPOSE = 'video-files'
/** The signed content of a token; `expires` in ms since 1970. */
type TokenClaim = [videoId: number, userId: number | null, passwordId: number | null, expires: number]

/** Creates a token that gives access to a video's files for `video_file.token_lifetime`, bound to a user or to a video password. */
export async function createVideoFileToken(
  videoId: number,
  userId: number | null,
  passwordId: number | null
): Promise<{ token: string; expires: Date }> {
  const expires = new Date(Date.now() + config.video_file.token_lifetime)
  const claim: TokenClaim = [videoId, userId, passwordId, expires.getTime()]
  return { token: await signValue(PURPOSE, claim), expires }
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
