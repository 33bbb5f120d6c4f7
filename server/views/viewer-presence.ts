import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { redis } from '../core/redis.ts'
import { setViewerCountSource } from '../videos/viewer-counts.ts'
import { viewsRedisKey } from './watch-sessions.ts'
import { VIDEO_FEDERATION } from '../videos/federation-internals.ts'

/** Adds a viewer of another server (ARGV[3]) until ARGV[2], unless that server has the maximum number of viewers (ARGV[5]) already. */
const ADD_REMOTE_VIEWER_LUA = `
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) and not redis.call('ZSCORE', KEYS[2], ARGV[3]) then return 0 end
for _, name in ipairs({ KEYS[1], KEYS[2] }) do
  redis.call('ZADD', name, ARGV[2], ARGV[3])
  if redis.call('PTTL', name) < ARGV[2] - ARGV[1] then redis.call('PEXPIREAT', name, ARGV[2]) end
end
redis.call('ZADD', KEYS[3], 'GT', ARGV[2], ARGV[4])
return 1`

/** The current viewers of a video: keyed hashes of those on this instance, and the total number. */
export type VideoViewership = { videoId: number; localViewers: string[]; total: number }

/** Registers the source of the viewer counts in lists and details, cached for `cache.answers.max_age`; called once at start. */
export function registerViewerCountSource(): void {
  setViewerCountSource({ of: videoId => viewerCounts.get(videoId) ?? 0, refresh: refreshCounts })
}

/** Records a viewer on another server until a time (ms since 1970). */
export async function recordRemoteViewer(videoId: number, host: string, viewer: string, until: number): Promise<void> {
  await redis.eval(
    ADD_REMOTE_VIEWER_LUA,
    3,
    viewsRedisKey('now', videoId),
    viewsRedisKey('host', videoId, host),
    viewsRedisKey('videos'),
    Date.now(),
    until,
    `${host} ${viewer}`,
    videoId,
    config.federation.videos.max_viewers_per_host
  )
}

/**
 * Sets the number of viewers of a remote video, as its origin reported it, until a time (ms since 1970); implausible numbers are ignored
 * (docs/federation.md#view-counts).
 */
export async function setRemoteViewerCount(videoId: number, viewers: number, until: number): Promise<void> {
  if (viewers > VIDEO_FEDERATION.maxViewJump) return
  await redis.set(viewsRedisKey('told', videoId), viewers, 'PXAT', until)
  await redis.zadd(viewsRedisKey('videos'), 'GT', until, String(videoId))
}

/** Returns the current viewers of every video that has any. */
export async function listViewerships(): Promise<VideoViewership[]> {
  await redis.zremrangebyscore(viewsRedisKey('videos'), 0, Date.now())
  const ids = await redis.zrangebyscore(viewsRedisKey('videos'), Date.now(), '+inf')
  const viewerships = await Promise.all(
    ids.map(async id => {
      const names = await redis.zrangebyscore(viewsRedisKey('now', id), Date.now(), '+inf')
      const localViewers = names.filter(name => name.startsWith('here ')).map(name => name.slice('here '.length))
      return { videoId: Number(id), localViewers, total: names.length }
    })
  )
  return viewerships.filter(({ total }) => total > 0)
}

/** Whether the viewers of a video may be sent now; true at most once per video and `VIDEO_FEDERATION.viewersInterval`. */
export async function claimViewerCountBroadcast(videoId: number): Promise<boolean> {
  return (await redis.set(viewsRedisKey('tell', videoId), 1, 'PX', Math.max(1, VIDEO_FEDERATION.viewersInterval), 'NX')) === 'OK'
}

let viewerCounts = new Map<number, number>()
let refreshedAt = 0
let countedAt = 0
let refreshing: Promise<void> | null = null

async function refreshCounts(): Promise<void> {
  if (Date.now() - refreshedAt < config.cache.answers.max_age) return
  refreshing ??= loadCounts()
    .catch(error => {
      logger.debug('Viewers cannot be counted', { reason: (error as Error).message })
      // Those counted last are about right while Redis is away for a moment.
      if (Date.now() - countedAt > config.views.videos.viewer_expiration) viewerCounts = new Map()
    })
    .finally(() => {
      refreshedAt = Date.now()
      refreshing = null
    })
  await refreshing
}

async function loadCounts(): Promise<void> {
  const now = Date.now()
  const ids = await redis.zrangebyscore(viewsRedisKey('videos'), now, '+inf')
  const rows = await Promise.all(
    ids.map(async id => {
      const [present, reported] = await Promise.all([
        redis.zcount(viewsRedisKey('now', id), now, '+inf'),
        redis.get(viewsRedisKey('told', id))
      ])
      return [Number(id), Math.max(present, Number(reported ?? 0))] as const
    })
  )
  viewerCounts = new Map(rows)
  countedAt = now
}
