import { keepLastKnown } from '../core/last-known.ts'
import { findVideoAccessInfo, listOpenVideos, type VideoAccessInfo } from './video-access.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** Lifetime (ms) of a cache entry, since a player requests many segments of a video per second. */
const TTL = 1000
/** Above this number of entries the cache is cleared. */
const MAX_ENTRIES = 1000

const cache = new Map<string, { video: VideoAccessInfo; expiresAt: number }>()

const findOrRemember = keepLastKnown(
  async (uuid: string) => await findVideoAccessInfo(uuid),
  uuid => uuid,
  video => isPublicOrUnlisted(video.privacy),
  listOpenVideos
)

/**
 * Returns the access fields of a video by UUID, cached for one second where the video is public or unlisted: so long may a change in
 * another process stay unnoticed, and little longer when the database stops to answer just then. Throws 404.
 */
export async function findCachedVideoAccessInfo(uuid: string): Promise<VideoAccessInfo> {
  const cached = cache.get(uuid)
  if (cached && cached.expiresAt > Date.now()) return cached.video
  cache.delete(uuid)
  const video = await findOrRemember(uuid)
  if (isPublicOrUnlisted(video.privacy)) {
    if (cache.size >= MAX_ENTRIES) cache.clear()
    cache.set(uuid, { video, expiresAt: Date.now() + TTL })
  }
  return video
}

/** Removes a changed or deleted video from the cache of this process. */
export function evictVideoAccessInfo(uuid: string): void {
  cache.delete(uuid)
  findOrRemember.forget(uuid)
}
