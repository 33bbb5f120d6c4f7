import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { redis } from '../core/redis.ts'
import { setViewerCountSource } from '../videos/viewer-counts.ts'
import { viewsRedisKey } from './watch-sessions.ts'

/** Somebody elsewhere watches; no more of one server than may be. */
const PRESENT = `
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[5]) and not redis.call('ZSCORE', KEYS[2], ARGV[3]) then return 0 end
for _, name in ipairs({ KEYS[1], KEYS[2] }) do
  redis.call('ZADD', name, ARGV[2], ARGV[3])
  if redis.call('PTTL', name) < ARGV[2] - ARGV[1] then redis.call('PEXPIREAT', name, ARGV[2]) end
end
redis.call('ZADD', KEYS[3], 'GT', ARGV[2], ARGV[4])
return 1`

/** How many watch a video that somebody here watches: those of this instance by their fingerprints, and all in all. */
export type VideoViewership = { videoId: number; here: string[]; total: number }

/** Answers for lists and details how many watch, as of a moment ago. */
export function registerViewerCountSource(): void {
  setViewerCountSource({ of: videoId => counts.get(videoId) ?? 0, refresh })
}

/** Notes that somebody of another server watches until a time. */
export async function recordRemoteViewer(videoId: number, host: string, viewer: string, until: number): Promise<void> {
  await redis.eval(
    PRESENT,
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
 * Notes how many watch a remote video, as its origin says, until a time; what is absurd is not believed (docs/federation.md#view-counts).
 */
export async function setRemoteViewerCount(videoId: number, viewers: number, until: number): Promise<void> {
  if (viewers > config.federation.videos.max_view_jump) return
  await redis.set(viewsRedisKey('told', videoId), viewers, 'PXAT', until)
  await redis.zadd(viewsRedisKey('videos'), 'GT', until, String(videoId))
}

/** The videos that somebody here watches now. */
export async function listViewerships(): Promise<VideoViewership[]> {
  await redis.zremrangebyscore(viewsRedisKey('videos'), 0, Date.now())
  const ids = await redis.zrangebyscore(viewsRedisKey('videos'), Date.now(), '+inf')
  const all = await Promise.all(
    ids.map(async id => {
      const names = await redis.zrangebyscore(viewsRedisKey('now', id), Date.now(), '+inf')
      return { videoId: Number(id), here: names.filter(name => name.startsWith('here ')).map(name => name.slice(5)), total: names.length }
    })
  )
  return all.filter(({ total }) => total > 0)
}

/** Whether the viewers of a video may be told now, which is noted: once in `federation.videos.viewers_interval`. */
export async function claimViewerCountBroadcast(videoId: number): Promise<boolean> {
  return (await redis.set(viewsRedisKey('tell', videoId), 1, 'PX', Math.max(1, config.federation.videos.viewers_interval), 'NX')) === 'OK'
}

let counts = new Map<number, number>()
let asked = 0
let asking: Promise<void> | null = null

async function refresh(): Promise<void> {
  if (Date.now() - asked < config.cache.answers.max_age) return
  asking ??= count()
    .catch(error => {
      logger.debug('Viewers cannot be counted', { reason: (error as Error).message })
      counts = new Map()
    })
    .finally(() => {
      asked = Date.now()
      asking = null
    })
  await asking
}

async function count(): Promise<void> {
  const now = Date.now()
  const ids = await redis.zrangebyscore(viewsRedisKey('videos'), now, '+inf')
  const rows = await Promise.all(
    ids.map(async id => {
      const [present, told] = await Promise.all([redis.zcount(viewsRedisKey('now', id), now, '+inf'), redis.get(viewsRedisKey('told', id))])
      return [Number(id), Math.max(present, Number(told ?? 0))] as const
    })
  )
  counts = new Map(rows)
}
