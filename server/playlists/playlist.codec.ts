import { z } from 'zod'
import { httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { idOf, isObject, listOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { cleanLine, cleanText } from '../fediverse/text-limits.ts'

/** A remote Playlist, checked: of one channel of its own origin. */
export type PlaylistObject = {
  url: string
  uuid: string
  name: string
  description: string | null
  channel: string
  published: Date
  updated: Date
  picture: string | null
}
/** A remote PlaylistElement: a video of any origin at a place, times in seconds. */
export type PlaylistElementObject = { url: string; video: string; position: number; start: number | null; stop: number | null }

const MAX_NAME = 120
const MAX_TEXT = 1000
const Moment = z
  .string()
  .max(40)
  .transform(value => new Date(value))
  .refine(date => !Number.isNaN(date.getTime()))
const Wire = z.object({ type: z.literal('Playlist'), name: z.string(), uuid: z.uuid(), published: Moment, updated: Moment })
const Seconds = z
  .number()
  .min(0)
  .max(2 ** 31 - 1)
  .transform(Math.floor)
const ElementWire = z.object({
  type: z.literal('PlaylistElement'),
  position: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1),
  startTimestamp: Seconds.nullish(),
  stopTimestamp: Seconds.nullish()
})

/**
 * Reads a Playlist (docs/federation.md#playlist-documents); null where it is none, or is not of exactly one channel of its own origin
 * (docs/federation.md#playlists-of-others).
 */
export function parsePlaylistObject(document: JsonObject): PlaylistObject | null {
  const url = httpUrl(document.id)
  const wire = Wire.safeParse(document)
  const owners = listOf(document.attributedTo)
  const channel = httpUrl(idOf(owners[0]))
  if (!url || !wire.success || owners.length !== 1 || !channel || !sameOrigin(channel, url)) return null
  const name = cleanLine(wire.data.name, MAX_NAME)
  if (!name) return null
  const { uuid, published, updated } = wire.data
  const now = new Date()
  const icon = listOf(document.icon).find(isObject)
  return {
    url,
    uuid: uuid.toLowerCase(),
    name,
    description: typeof document.content === 'string' ? cleanText(document.content, MAX_TEXT) : null,
    channel,
    published: published > now ? now : published,
    updated: updated > now ? now : updated,
    picture: httpUrl(icon?.url)
  }
}

/** Reads a PlaylistElement of the playlist at `playlist`; null where it is none. */
export function parsePlaylistElementObject(document: JsonObject, playlist: string): PlaylistElementObject | null {
  const url = httpUrl(document.id)
  const video = httpUrl(document.url)
  const wire = ElementWire.safeParse(document)
  if (!url || !video || !wire.success || !sameOrigin(url, playlist)) return null
  return { url, video, position: wire.data.position, start: wire.data.startTimestamp ?? null, stop: wire.data.stopTimestamp ?? null }
}
