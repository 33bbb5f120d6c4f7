import { clientNetwork } from '../core/client-network.ts'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { isRedisReady, redis } from '../core/redis.ts'
import { hmacUuid } from '../core/hmac.ts'
import type { VideoView } from './count-views.ts'

/** A report of a player: the position (`time`) and the `duration` in seconds, and whether the viewer seeked to the position. */
export type PlaybackHeartbeat = { videoId: number; uuid: string; duration: number; time: number; seek: boolean }
/** What distinguishes a viewer from others; `userId`: null for an anonymous one. */
export type ViewerIdentity = { userId: number | null; ip: string; sessionId?: string }
/** An ended session of a viewer; `sections`: the parts that were watched, in seconds of the video. */
export type WatchSession = { videoId: number; viewer: string; startedAt: Date; endedAt: Date; sections: { start: number; end: number }[] }

/** Reports of players that a process keeps while Redis is away. */
const MAX_UNRECORDED = 10_000
/** How often it tries to record them (ms). */
const RECORD_INTERVAL = 1000

/** Members that are removed from a Redis set per command. */
const REMOVAL_BATCH_SIZE = 1000

/** Returns a Redis key of this feature; all its data in Redis may be lost at any time (ARCHITECTURE.md, rule 1). */
export const viewsRedisKey = (...parts: (string | number)[]) => [config.redis.prefix, 'views', ...parts].join(':')

/**
 * Records a heartbeat: extends the current section of the session or begins one, marks the viewer as present and, once enough was watched,
 * adds a pending view.
 */
const RECORD_HEARTBEAT_LUA = `
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

/** Moves the pending views to the set being counted, unless a crash left that one non-empty; returns its members. */
const TAKE_PENDING_LUA = `
if redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
return redis.call('SMEMBERS', KEYS[2])`

/** Removes and returns up to 100 sessions without a recent heartbeat. */
const POP_ENDED_LUA = `
local ended = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[1], name)
  local session = ARGV[2] .. string.gsub(name, ' ', ':')
  local raw = redis.call('GET', session)
  if raw then ended[#ended + 1] = name .. ' ' .. raw end
  redis.call('DEL', session)
end
return ended`

/**
 * Records a report of a player in Redis. Views are counted later (`drainPendingViews`). While Redis is away the report is kept in this
 * process and recorded afterwards, with its time.
 */
export async function recordPlaybackHeartbeat(
  { videoId, uuid, duration, time, seek }: PlaybackHeartbeat,
  identity: ViewerIdentity
): Promise<void> {
  const { view_expiration, count_view_after, viewer_expiration, max_sections, max_sessions_per_address, trust_viewer_session_id } =
    config.views.videos
  const network = clientNetwork(identity.ip)
  const session = trust_viewer_session_id && identity.sessionId !== undefined ? ` ${identity.sessionId}` : ''
  const viewer = await hmacUuid('viewer', `${uuid} ${identity.userId === null ? network + session : identity.userId}`)
  const address = await hmacUuid('viewer', `${uuid} of ${network}`)
  const requiredSeconds = Math.min(count_view_after / 1000, Math.floor(duration))
  const keysAndValues = [
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
    requiredSeconds,
    view_expiration,
    viewer_expiration,
    max_sections,
    `${videoId} ${viewer}`,
    `here ${viewer}`,
    videoId,
    max_sessions_per_address
  ]
  // In the order of their times: a report that overtook another would begin a new section.
  if (unrecorded.length > 0) return keepForLater(keysAndValues)
  await redis.eval(RECORD_HEARTBEAT_LUA, 7, ...keysAndValues).catch(() => keepForLater(keysAndValues))
}

/** Reports that could not be recorded, the oldest first. */
const unrecorded: (string | number)[][] = []
let recordTimer: NodeJS.Timeout | undefined

function keepForLater(keysAndValues: (string | number)[]): void {
  if (unrecorded.length >= MAX_UNRECORDED) return
  unrecorded.push(keysAndValues)
  recordTimer ??= setInterval(() => void recordKept(), RECORD_INTERVAL).unref()
}

let isRecording = false
async function recordKept(): Promise<void> {
  if (isRecording || !isRedisReady()) return
  isRecording = true
  try {
    for (let next = unrecorded[0]; next; next = unrecorded[0]) {
      await redis.eval(RECORD_HEARTBEAT_LUA, 7, ...next)
      unrecorded.shift()
    }
    clearInterval(recordTimer)
    recordTimer = undefined
  } catch (error) {
    logger.debug('Reports of players are recorded later', { reports: unrecorded.length, reason: (error as Error).message })
  } finally {
    isRecording = false
  }
}

/** Passes the pending views to `count` and removes them when it has finished; after a crash or an error they are passed again. */
export async function drainPendingViews(count: (views: VideoView[]) => Promise<void>): Promise<void> {
  const names = (await redis.eval(TAKE_PENDING_LUA, 2, viewsRedisKey('new'), viewsRedisKey('taken'))) as string[]
  await count(
    names.map(name => {
      const [videoId, viewer] = name.split(' ') as [string, string]
      return { videoId: Number(videoId), viewer, host: null }
    })
  )
  for (let start = 0; start < names.length; start += REMOVAL_BATCH_SIZE)
    await redis.srem(viewsRedisKey('taken'), names.slice(start, start + REMOVAL_BATCH_SIZE))
}

/** Removes and returns the sessions that have ended, at most a hundred. */
export async function popEndedWatchSessions(): Promise<WatchSession[]> {
  const entries = (await redis.eval(POP_ENDED_LUA, 1, viewsRedisKey('open'), Date.now(), `${viewsRedisKey('session')}:`)) as string[]
  return entries.map(entry => {
    const [videoId, viewer, ...rest] = entry.split(' ') as [string, string, ...string[]]
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
