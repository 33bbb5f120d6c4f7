import { z } from 'zod'
import { parseRemoteDate } from '../fediverse/dates.ts'
import { httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { idOf, isObject, listOf, textOf, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { cleanLine, cleanText } from '../fediverse/text-limits.ts'

/** A validated remote Playlist: it belongs to one channel of its own origin. */
export type PlaylistObject = {
  url: string
  uuid: string
  name: string
  description: string | null
  channel: string
  published: Date
  updated: Date
  thumbnailUrl: string | null
}
/** A validated remote PlaylistElement: a video of any origin with its position; times in seconds. */
export type PlaylistElementObject = { url: string; video: string; position: number; start: number | null; stop: number | null }

const MAX_NAME = 120
const MAX_TEXT = 1000
const IsoDate = z.preprocess(parseRemoteDate, z.date())
const PlaylistSchema = z.object({ type: z.literal('Playlist'), name: z.string(), uuid: z.uuid(), published: IsoDate, updated: IsoDate })
const Seconds = z
  .number()
  .min(0)
  .max(2 ** 31 - 1)
  .transform(Math.floor)
const PlaylistElementSchema = z.object({
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
 * Parses a Playlist (docs/federation.md#playlist-documents); returns null where it is invalid or not attributed to exactly one channel of
 * its own origin (docs/federation.md#playlists-of-others).
 */
export function parsePlaylistObject(document: JsonObject): PlaylistObject | null {
  const url = httpUrl(document.id)
  const parsed = PlaylistSchema.safeParse({ ...document, type: typeOf(document), name: textOf(document, 'name') })
  const owners = listOf(document.attributedTo)
  const channel = httpUrl(idOf(owners[0]))
  if (!url || !parsed.success || owners.length !== 1 || !channel || !sameOrigin(channel, url)) return null
  const name = cleanLine(parsed.data.name, MAX_NAME)
  if (!name) return null
  const { uuid, published, updated } = parsed.data
  const now = new Date()
  const icon = listOf(document.icon).find(isObject)
  return {
    url,
    uuid: uuid.toLowerCase(),
    name,
    description: cleanText(textOf(document, 'content') ?? '', MAX_TEXT),
    channel,
    published: published > now ? now : published,
    updated: updated > now ? now : updated,
    thumbnailUrl: httpUrl(icon?.url)
  }
}

/** Parses a PlaylistElement of the playlist with the URL `playlist`; returns null where it is invalid. */
export function parsePlaylistElementObject(document: JsonObject, playlist: string): PlaylistElementObject | null {
  const url = httpUrl(document.id)
  const video = httpUrl(document.url)
  const parsed = PlaylistElementSchema.safeParse({ ...document, type: typeOf(document) })
  if (!url || !video || !parsed.success || !sameOrigin(url, playlist)) return null
  return { url, video, position: parsed.data.position, start: parsed.data.startTimestamp ?? null, stop: parsed.data.stopTimestamp ?? null }
}
