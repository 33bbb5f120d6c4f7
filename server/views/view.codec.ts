import { z } from 'zod'
import { config } from '../core/config.ts'
import { parseRemoteDate } from '../fediverse/dates.ts'
import { parseIsoDuration } from '../fediverse/iso-duration.ts'
import { httpUrl } from '../fediverse/origin.ts'
import { idOf, isObject, type Json, type JsonObject } from '../fediverse/vocabulary.ts'
import type { WatchRecord } from './watch-records.ts'

/**
 * The content of a View; `until` in ms since 1970. `view`: the video was viewed or, with `until`, somebody is watching it until then.
 * `counter`: the total number of views or, with `until`, of current viewers.
 */
export type ParsedView = { kind: 'view'; until: number | null } | { kind: 'counter'; count: number; until: number | null }

const MAX_SECONDS = 2 ** 31 - 1
/** An ISO 8601 date and time. */
const Timestamp = z
  .string()
  .max(40)
  .refine(text => /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && parseRemoteDate(text) !== null)
  .transform(text => new Date(text))
const Seconds = z.number().min(0).max(MAX_SECONDS)
const WatchActionDocument = z.object({
  id: z.string(),
  uuid: z.uuid(),
  startTime: Timestamp,
  endTime: Timestamp,
  duration: z.string().max(40),
  watchSections: z.array(z.object({ startTimestamp: Seconds, endTimestamp: Seconds })).min(1),
  location: z
    .object({ addressCountry: z.string().max(100).nullish(), addressRegion: z.string().max(100).nullish() })
    .nullish()
    .catch(null)
})

/** Parses a View; returns null for an invalid or expired one. The expiry is limited to `maxLifetime` ms from now. */
export function parseView({ expires, result }: JsonObject, maxLifetime: number): ParsedView | null {
  const until = parseExpiry(expires, maxLifetime)
  if (until !== null && !(until > Date.now())) return null
  if (result === undefined || result === null) return { kind: 'view', until }
  if (!isObject(result) || result.type !== 'InteractionCounter' || !/(^|[/:#])WatchAction$/.test(String(result.interactionType)))
    return null
  const count = result.userInteractionCount
  return typeof count === 'number' && Number.isInteger(count) && count >= 0 ? { kind: 'counter', count, until } : null
}

/** Parses a WatchAction; returns null for an invalid one. */
export function parseWatchAction(object: Json): (Omit<WatchRecord, 'videoId'> & { object: string }) | null {
  if (!isObject(object)) return null
  const video = httpUrl(idOf(object.object))
  const url = httpUrl(object.id)
  const { data } = WatchActionDocument.safeParse(object)
  const duration = parseIsoDuration(data?.duration ?? '', MAX_SECONDS)
  if (
    !video ||
    !url ||
    !data ||
    duration === null ||
    data.endTime < data.startTime ||
    data.watchSections.length > config.views.videos.max_sections
  )
    return null
  const sections = data.watchSections.map(({ startTimestamp: start, endTimestamp: end }) => ({ start, end }))
  if (sections.some(({ start, end }) => end < start)) return null
  return {
    url,
    object: video,
    uuid: data.uuid.toLowerCase(),
    startedAt: data.startTime,
    endedAt: data.endTime,
    duration: Math.floor(duration),
    sections,
    country: data.location?.addressCountry ?? null,
    region: data.location?.addressRegion ?? null
  }
}

/** Returns ms since 1970, null without an expiry, NaN for an invalid one. */
function parseExpiry(expires: unknown, maxLifetime: number): number | null {
  if (expires === undefined || expires === null) return null
  const { data } = Timestamp.safeParse(expires)
  return data ? Math.min(data.getTime(), Date.now() + maxLifetime) : Number.NaN
}
