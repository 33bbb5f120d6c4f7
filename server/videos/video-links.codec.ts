import { parseUrl } from '../core/url.ts'
import { z } from 'zod'
import { httpUrl } from '../fediverse/origin.ts'
import { isObject, listOf, type JsonObject } from '../fediverse/vocabulary.ts'
import type { FileLink, VideoObject } from './video-object.ts'

const TORRENT = 'application/x-bittorrent'
const MAGNET = 'application/x-bittorrent;x-scheme-handler/magnet'
const PLAYLIST = 'application/x-mpegURL'
const FILE = /^(video\/(mp4|webm|ogg)|audio\/mp4)$/
const MAX_TAGS = 200

const Measure = z.number().min(0).max(100_000).transform(Math.round)
const Link = z.object({
  mediaType: z.string().regex(FILE),
  href: z.string(),
  height: Measure.catch(0),
  width: Measure.nullish().catch(null),
  size: z.number().min(0).max(Number.MAX_SAFE_INTEGER).transform(Math.round).catch(0),
  fps: z.number().min(0).max(1000).catch(-1),
  attachment: z.unknown().optional()
})

/** The media files among the links of a video, each with the metadata, torrent and magnet links of its size. */
export function parseFileLinks(links: JsonObject[]): FileLink[] {
  return links.flatMap((link, place) => {
    const file = Link.safeParse(link).data
    const url = httpUrl(link.href)
    if (!file || !url || isMetadata(link)) return []
    // What belongs to a file stands after it and has its measures; the order decides where two files have the same.
    const after = links.slice(place + 1)
    const next = after.findIndex(other => FILE.test(String(other.mediaType)) && !isMetadata(other))
    const own = (next === -1 ? after : after.slice(0, next)).filter(other => other.height === link.height)
    const address = (is: (other: JsonObject) => boolean) => httpUrl(own.find(is)?.href)
    return [
      {
        url,
        mediaType: file.mediaType,
        width: file.width ?? null,
        height: file.height,
        size: file.size,
        fps: file.fps,
        streams: streamsOf(file.attachment),
        metadataUrl: address(isMetadata),
        torrentUrl: address(other => other.mediaType === TORRENT),
        magnetUri: magnet(own.find(other => other.mediaType === MAGNET)?.href)
      }
    ]
  })
}

/** The HLS playlist among the links of a video. */
export function parseHlsPlaylistLink(links: JsonObject[]): VideoObject['playlist'] {
  const link = links.find(one => one.mediaType === PLAYLIST && httpUrl(one.href))
  if (!link) return null
  const tags = listOf(link.tag).slice(0, MAX_TAGS).filter(isObject)
  const hashes = tags.find(tag => tag.type === 'Link' && tag.name === 'sha256')
  return {
    url: httpUrl(link.href)!,
    segmentsSha256Url: httpUrl(hashes?.href),
    files: parseFileLinks(tags.filter(tag => tag.type === 'Link')),
    infohashes: tags
      .filter(tag => tag.type === 'Infohash' && typeof tag.name === 'string' && /^[0-9a-f]{40}$/i.test(tag.name))
      .map(tag => String(tag.name))
  }
}

/** Trackers by their address; only those a browser or a client may speak to. */
export function parseTrackerLinks(links: JsonObject[]): VideoObject['trackers'] {
  return links
    .filter(link => typeof link.name === 'string' && listOf(link.rel).includes('tracker'))
    .flatMap(link => {
      const url = typeof link.href === 'string' && link.href.length < 2000 ? parseUrl(link.href) : null
      if (!url || !['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) || url.username || url.password) return []
      return [
        {
          name: String(link.name).slice(0, 50),
          rel: listOf(link.rel)
            .filter(one => typeof one === 'string')
            .slice(0, 5),
          url: String(link.href)
        }
      ]
    })
    .slice(0, 10)
}

const isMetadata = (link: JsonObject) => listOf(link.rel).includes('metadata')

function streamsOf(attachment: unknown): FileLink['streams'] {
  const values = listOf(attachment)
    .slice(0, 20)
    .filter(isObject)
    .filter(one => one.name === 'ffprobe_codec_type')
    .map(one => one.value)
  return values.length === 0 ? null : { audio: values.includes('audio'), video: values.includes('video') }
}

/** A magnet link with a proper info hash, whose addresses are http(s) or ws(s) (docs/federation.md#urls). */
function magnet(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 10_000 || !value.startsWith('magnet:?')) return null
  const parameters = new URLSearchParams(value.slice('magnet:?'.length))
  if (!/^urn:btih:[0-9a-f]{40}$/i.test(parameters.get('xt') ?? '')) return null
  const addresses = ['xs', 'ws', 'tr', 'as'].flatMap(name => parameters.getAll(name))
  return addresses.every(url => /^(https?|wss?):\/\//i.test(url)) ? value : null
}
