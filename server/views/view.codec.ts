import { z } from 'zod'
import { config } from '../core/config.ts'
import { httpUrl } from '../fediverse/origin.ts'
import { idOf, isObject, type Json, type JsonObject } from '../fediverse/vocabulary.ts'
import type { WatchRecord } from './watch-records.ts'

/** What a View says: that something was viewed, that somebody watches `until` a time, or how many do (with a time) or did (without). */
export type ParsedView = { kind: 'view'; until: number | null } | { kind: 'counter'; count: number; until: number | null }

const LONGEST = 2 ** 31 - 1
/** An ISO 8601 time with a day and an hour. */
const Moment = z
  .string()
  .max(40)
  .refine(text => /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text)))
  .transform(text => new Date(text))
const Second = z.number().min(0).max(LONGEST)
const Wire = z.object({
  id: z.string(),
  uuid: z.uuid(),
  startTime: Moment,
  endTime: Moment,
  duration: z.string().max(40),
  watchSections: z.array(z.object({ startTimestamp: Second, endTimestamp: Second })).min(1),
  location: z
    .object({ addressCountry: z.string().max(100).nullish(), addressRegion: z.string().max(100).nullish() })
    .nullish()
    .catch(null)
})

/** Reads a View; null for one that makes no sense or comes too late. Nobody is there for longer than `longest` ms from now. */
export function parseView({ expires, result }: JsonObject, longest: number): ParsedView | null {
  const until = untilOf(expires, longest)
  if (until !== null && !(until > Date.now())) return null
  if (result === undefined || result === null) return { kind: 'view', until }
  if (!isObject(result) || result.type !== 'InteractionCounter' || !/(^|[/:#])WatchAction$/.test(String(result.interactionType)))
    return null
  const count = result.userInteractionCount
  return typeof count === 'number' && Number.isInteger(count) && count >= 0 ? { kind: 'counter', count, until } : null
}

/** Reads a WatchAction; null for one that makes no sense. */
export function parseWatchAction(object: Json): (Omit<WatchRecord, 'videoId'> & { object: string }) | null {
  if (!isObject(object)) return null
  const video = httpUrl(idOf(object.object))
  const url = httpUrl(object.id)
  const { data } = Wire.safeParse(object)
  const duration = /^PT(?:(\d{1,7})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?$/.exec(data?.duration ?? '')
  if (!video || !url || !data || !duration || data.endTime < data.startTime || data.watchSections.length > config.views.videos.max_sections)
    return null
  const sections = data.watchSections.map(({ startTimestamp: start, endTimestamp: end }) => ({ start, end }))
  if (sections.some(({ start, end }) => end < start)) return null
  const [hours, minutes, seconds] = duration.slice(1).map(part => Number(part ?? 0)) as [number, number, number]
  return {
    url,
    object: video,
    uuid: data.uuid.toLowerCase(),
    startedAt: data.startTime,
    endedAt: data.endTime,
    duration: Math.min(LONGEST, hours * 3600 + minutes * 60 + seconds),
    sections,
    country: data.location?.addressCountry ?? null,
    region: data.location?.addressRegion ?? null
  }
}

function untilOf(expires: unknown, longest: number): number | null {
  if (expires === undefined || expires === null) return null
  const { data } = Moment.safeParse(expires)
  return data ? Math.min(data.getTime(), Date.now() + longest) : Number.NaN
}
