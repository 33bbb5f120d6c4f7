import { isIPv6 } from 'node:net'
import { ipKeyGenerator } from 'express-rate-limit'
import { config } from '../core/config.ts'
import { redis } from '../core/redis.ts'
import { hmacUuid } from '../core/hmac.ts'
import type { VideoView } from './count-views.ts'

/** What a player says: the second it is at, and whether its viewer jumped there. */
export type PlaybackHeartbeat = { videoId: number; uuid: string; duration: number; time: number; seek: boolean }
/** Who watches, as far as can be known. */
export type ViewerIdentity = { userId: number | null; ip: string; sessionId?: string }
/** Somebody's watching of a video that is over; passages in seconds of the video. */
export type WatchSession = { videoId: number; viewer: string; startedAt: Date; endedAt: Date; sections: { start: number; end: number }[] }

const FEW = 1000

/** Everything of this slice in Redis; it may be wiped at any moment. */
export const viewsRedisKey = (...parts: (string | number)[]) => [config.redis.prefix, 'views', ...parts].join(':')

/** Notes a ping: the passage grows or begins, the viewer is there, and once enough was watched it is a view that waits to be counted. */
const PING = `
local now, time = tonumber(ARGV[1]), tonumber(ARGV[2])
local raw = redis.call('GET', KEYS[1])
local session = raw and cjson.decode(raw) or { startedAt = now, watched = 0, sections = {} }
local count = #session.sections
local last = session.sections[count]
if last and ARGV[3] == '0' and time >= last[2] then
  session.watched = session.watched + time - last[2]
  last[2] = time
else
  session.sections[count < tonumber(ARGV[7]) and count + 1 or count] = { time, time }
end
session.lastAt = now
redis.call('SET', KEYS[1], cjson.encode(session), 'PX', 3 * ARGV[6])
redis.call('ZADD', KEYS[4], now + ARGV[6], ARGV[8])
redis.call('ZADD', KEYS[5], now + ARGV[6], ARGV[9])
if redis.call('PTTL', KEYS[5]) < tonumber(ARGV[6]) then redis.call('PEXPIRE', KEYS[5], ARGV[6]) end
redis.call('ZADD', KEYS[6], 'GT', now + ARGV[6], ARGV[10])
if redis.call('PEXPIRE', KEYS[2], ARGV[5]) == 1 or session.watched < tonumber(ARGV[4]) then return end
redis.call('SET', KEYS[2], '1', 'PX', ARGV[5])
local same = redis.call('INCR', KEYS[7])
if same == 1 then redis.call('PEXPIRE', KEYS[7], ARGV[5]) end
if same <= tonumber(ARGV[11]) then redis.call('SADD', KEYS[3], ARGV[8]) end`

/** Takes what others have not taken yet, or what whoever took it has left. */
const TAKE = `
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
return redis.call('SMEMBERS', KEYS[2])`

/** Sessions whose players fell silent, each given once. */
const ENDED = `
local ended = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[1], name)
  local session = ARGV[2] .. string.gsub(name, ' ', ':')
  local raw = redis.call('GET', session)
  if raw then ended[#ended + 1] = name .. ' ' .. raw end
  redis.call('DEL', session)
end
return ended`

/** Hears a player. Counting comes later (`takeViews`). */
export async function recordPlaybackHeartbeat(
  { videoId, uuid, duration, time, seek }: PlaybackHeartbeat,
  watcher: ViewerIdentity
): Promise<void> {
  const { view_expiration, count_view_after, viewer_expiration, max_sections, max_sessions_per_address, trust_viewer_session_id } =
    config.views.videos
  const place = network(watcher.ip)
  const session = trust_viewer_session_id && watcher.sessionId !== undefined ? ` ${watcher.sessionId}` : ''
  const viewer = await hmacUuid('viewer', `${uuid} ${watcher.userId === null ? place + session : watcher.userId}`)
  const address = await hmacUuid('viewer', `${uuid} of ${place}`)
  const needed = Math.min(count_view_after / 1000, Math.floor(duration))
  await redis.eval(
    PING,
    7,
    viewsRedisKey('session', videoId, viewer),
    viewsRedisKey('counted', videoId, viewer),
    viewsRedisKey('new'),
    viewsRedisKey('open'),
    viewsRedisKey('now', videoId),
    viewsRedisKey('videos'),
    viewsRedisKey('address', address),
    Date.now(),
    time,
    seek ? 1 : 0,
    needed,
    view_expiration,
    viewer_expiration,
    max_sections,
    `${videoId} ${viewer}`,
    `here ${viewer}`,
    videoId,
    max_sessions_per_address
  )
}

/** Gives the views that wait to be counted to `count`, and forgets them when that is done; what a crash leaves is given again. */
export async function drainPendingViews(count: (views: VideoView[]) => Promise<void>): Promise<void> {
  const names = (await redis.eval(TAKE, 2, viewsRedisKey('new'), viewsRedisKey('taken'))) as string[]
  await count(
    names.map(name => {
      const [videoId, viewer] = name.split(' ') as [string, string]
      return { videoId: Number(videoId), viewer, host: null }
    })
  )
  for (let start = 0; start < names.length; start += FEW) await redis.srem(viewsRedisKey('taken'), names.slice(start, start + FEW))
}

/** The sessions that ended since this was asked; a hundred at most. */
export async function popEndedWatchSessions(): Promise<WatchSession[]> {
  const found = (await redis.eval(ENDED, 1, viewsRedisKey('open'), Date.now(), `${viewsRedisKey('session')}:`)) as string[]
  return found.map(text => {
    const [videoId, viewer, ...rest] = text.split(' ') as [string, string, ...string[]]
    const { startedAt, lastAt, sections } = JSON.parse(rest.join(' ')) as {
      startedAt: number
      lastAt: number
      sections: [number, number][]
    }
    return {
      videoId: Number(videoId),
      viewer,
      startedAt: new Date(startedAt),
      endedAt: new Date(lastAt),
      sections: sections.map(([start, end]) => ({ start, end }))
    }
  })
}

/** Who has one IPv6 address has many. */
function network(ip: string): string {
  return isIPv6(ip) ? ipKeyGenerator(ip) : ip
}
