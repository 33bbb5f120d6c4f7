import { parseUrl } from '../core/url.ts'
import { z } from 'zod'
import { httpUrl } from '../fediverse/origin.ts'
import { isObject, listOf, type JsonObject } from '../fediverse/vocabulary.ts'
import type { FileLink, VideoObject } from './video-object.ts'

const TORRENT_TYPE = 'application/x-bittorrent'
const MAGNET_TYPE = 'application/x-bittorrent;x-scheme-handler/magnet'
const HLS_PLAYLIST_TYPE = 'application/x-mpegURL'
const MEDIA_FILE_TYPE = /^(video\/(mp4|webm|ogg)|audio\/mp4)$/
const MAX_TAGS = 200

const Pixels = z.number().min(0).max(100_000).transform(Math.round)
const FileLinkDocument = z.object({
  mediaType: z.string().regex(MEDIA_FILE_TYPE),
  href: z.string(),
  height: Pixels.catch(0),
  width: Pixels.nullish().catch(null),
  size: z.number().min(0).max(Number.MAX_SAFE_INTEGER).transform(Math.round).catch(0),
  fps: z.number().min(0).max(1000).catch(-1),
  attachment: z.unknown().optional()
})

/** Returns the media files among the links of a video, each with the metadata, torrent and magnet links that belong to it. */
export function parseFileLinks(links: JsonObject[]): FileLink[] {
  return links.flatMap((link, index) => {
    const file = FileLinkDocument.safeParse(link).data
    const url = httpUrl(link.href)
    if (!file || !url || isMetadata(link)) return []
    // The links that belong to a file follow it and have its height; the order decides between files of the same height.
    const following = links.slice(index + 1)
    const nextFile = following.findIndex(other => MEDIA_FILE_TYPE.test(String(other.mediaType)) && !isMetadata(other))
    const related = (nextFile === -1 ? following : following.slice(0, nextFile)).filter(other => other.height === link.height)
    const findUrl = (matches: (other: JsonObject) => boolean) => httpUrl(related.find(matches)?.href)
    return [
      {
        url,
        mediaType: file.mediaType,
        width: file.width ?? null,
        height: file.height,
        size: file.size,
        fps: file.fps,
        streams: parseStreams(file.attachment),
        metadataUrl: findUrl(isMetadata),
        torrentUrl: findUrl(other => other.mediaType === TORRENT_TYPE),
        magnetUri: validMagnetUri(related.find(other => other.mediaType === MAGNET_TYPE)?.href)
      }
    ]
  })
}

/** Returns the HLS playlist among the links of a video; null if there is none. */
export function parseHlsPlaylistLink(links: JsonObject[]): VideoObject['playlist'] {
  const link = links.find(candidate => candidate.mediaType === HLS_PLAYLIST_TYPE && httpUrl(candidate.href))
  if (!link) return null
  const tags = listOf(link.tag).slice(0, MAX_TAGS).filter(isObject)
  const segmentHashes = tags.find(tag => tag.type === 'Link' && tag.name === 'sha256')
  return {
    url: httpUrl(link.href)!,
    segmentsSha256Url: httpUrl(segmentHashes?.href),
    files: parseFileLinks(tags.filter(tag => tag.type === 'Link')),
    infohashes: tags
      .filter(tag => tag.type === 'Infohash' && typeof tag.name === 'string' && /^[0-9a-f]{40}$/i.test(tag.name))
      .map(tag => String(tag.name))
  }
}

/** Returns the BitTorrent trackers among the links of a video, at most ten; only those with an http(s) or ws(s) URL. */
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
            .filter(rel => typeof rel === 'string')
            .slice(0, 5),
          url: String(link.href)
        }
      ]
    })
    .slice(0, 10)
}

const isMetadata = (link: JsonObject) => listOf(link.rel).includes('metadata')

function parseStreams(attachment: unknown): FileLink['streams'] {
  const values = listOf(attachment)
    .slice(0, 20)
    .filter(isObject)
    .filter(property => property.name === 'ffprobe_codec_type')
    .map(property => property.value)
  return values.length === 0 ? null : { audio: values.includes('audio'), video: values.includes('video') }
}

/** Returns a magnet URI that has a valid info hash and only http(s) or ws(s) URLs, otherwise null (docs/federation.md#urls). */
function validMagnetUri(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 10_000 || !value.startsWith('magnet:?')) return null
  const parameters = new URLSearchParams(value.slice('magnet:?'.length))
  if (!/^urn:btih:[0-9a-f]{40}$/i.test(parameters.get('xt') ?? '')) return null
  const urls = ['xs', 'ws', 'tr', 'as'].flatMap(name => parameters.getAll(name))
  return urls.every(url => /^(https?|wss?):\/\//i.test(url)) ? value : null
}
