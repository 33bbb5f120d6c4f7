import { config } from '../core/config.ts'
import { seal, unseal } from '../core/hmac.ts'
import type { Viewer } from '../core/route.ts'
import { run, sql } from '../core/sql.ts'
import { PRIVACY } from './video.model.ts'
import type { Guarded } from './video-access.ts'
import { canManage, canWatch } from './video.policy.ts'

const PURPOSE = 'video-files'
/** Video, user, password, expiry (ms since 1970). */
type Claim = [videoId: number, userId: number | null, passwordId: number | null, expires: number]

/** A token that opens a video's files for `video_file.token_lifetime`, for the user or the password it was made for. */
export async function fileToken(
  videoId: number,
  userId: number | null,
  passwordId: number | null
): Promise<{ token: string; expires: Date }> {
  const expires = new Date(Date.now() + config.video_file.token_lifetime)
  const claim: Claim = [videoId, userId, passwordId, expires.getTime()]
  return { token: await seal(PURPOSE, claim), expires }
}

/**
 * What a token opens now: null if nothing, `manages` if its user may change the video. Its user may still watch, or its password still
 * stands.
 */
export async function openedBy(token: unknown, video: Guarded): Promise<{ manages: boolean } | null> {
  const claim = typeof token === 'string' ? ((await unseal(PURPOSE, token)) as Claim | null) : null
  if (!claim) return null
  const [videoId, userId, passwordId, expires] = claim
  if (videoId !== video.id || expires < Date.now()) return null
  if (passwordId !== null) {
    if (video.privacy !== PRIVACY.PASSWORD) return null
    const found = await run(sql`SELECT 1 FROM video_passwords WHERE id = ${passwordId} AND video_id = ${video.id}`)
    return found.length > 0 ? { manages: false } : null
  }
  const [viewer] = await run<Pick<Viewer, 'id' | 'role'>>(sql`SELECT id, role FROM users WHERE id = ${userId} AND NOT blocked`)
  return viewer && canWatch(viewer, video) ? { manages: canManage(viewer, video) } : null
}
