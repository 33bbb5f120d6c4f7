import { findVideoAccessInfo, type VideoAccessInfo } from './video-access.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** How long (ms) a video that was open to everybody is taken to be so still: a player asks for many pieces of it a second. */
const OPEN_FOR = 1000
const MOST = 1000

const films = new Map<string, { video: VideoAccessInfo; until: number }>()

/**
 * A video whose files are asked for, by UUID. Where another process closes or deletes it this one hears of it within a second. Throws 404.
 */
export async function findCachedVideoAccessInfo(uuid: string): Promise<VideoAccessInfo> {
  const known = films.get(uuid)
  if (known && known.until > Date.now()) return known.video
  films.delete(uuid)
  const video = await findVideoAccessInfo(uuid)
  if (isPublicOrUnlisted(video.privacy)) {
    if (films.size >= MOST) films.clear()
    films.set(uuid, { video, until: Date.now() + OPEN_FOR })
  }
  return video
}

/** Has the next request ask anew: the video was changed or deleted. */
export function evictVideoAccessInfo(uuid: string): void {
  films.delete(uuid)
}
