import { parseUrl } from '../core/url.ts'
import { z } from 'zod'
import { httpUrl } from '../fediverse/origin.ts'
import { isObject, linksOf, listOf, typeOf, type JsonObject, type LinkForm } from '../fediverse/vocabulary.ts'
import type { FileLink, VideoObject } from './video-object.ts'

const TORRENT_TYPE = 'application/x-bittorrent'
const MAGNET_TYPE = 'application/x-bittorrent;x-scheme-handler/magnet'
const HLS_PLAYLIST_TYPE = 'application/x-mpegURL'
const MEDIA_FILE_TYPE = /^(video\/(mp4|webm|ogg)|audio\/mp4)$/
const MAX_TAGS = 200
const MAX_LINKS = 200
const MAX_ATTACHMENTS = 200
/** Other names of media types that are read here. */
const MEDIA_TYPE_ALIASES: Record<string, string> = {
  'application/vnd.apple.mpegurl': HLS_PLAYLIST_TYPE,
  'application/x-mpegurl': HLS_PLAYLIST_TYPE,
  'application/mpegurl': HLS_PLAYLIST_TYPE,
  'audio/mpegurl': HLS_PLAYLIST_TYPE,
  'audio/x-mpegurl': HLS_PLAYLIST_TYPE,
  'video/x-m4v': 'video/mp4'
}
/** Media types by file name, for links that have none. */
const EXTENSION_TYPES: Record<string, string> = {
  mp4: 'video/mp4',
  m4v: 'video/mp4',
  webm: 'video/webm',
  ogv: 'video/ogg',
  m3u8: HLS_PLAYLIST_TYPE
}

const Pixels = z.number().min(0).max(100_000).transform(Math.round)
const FileLinkDocument = z.object({
  mediaType: z.string().regex(MEDIA_FILE_TYPE),
  href: z.string(),
  height: Pixels.nullish().catch(null),
  width: Pixels.nullish().catch(null),
  size: z.number().min(0).max(Number.MAX_SAFE_INTEGER).transform(Math.round).catch(0),
  fps: z.number().min(0).max(1000).catch(-1),
  attachment: z.unknown().optional()
})

/** What a document has to play, and the attachment that it is, if it is one. */
export type VideoMedia = Pick<VideoObject, 'htmlUrl' | 'files' | 'playlist' | 'trackers'> & { attachment: JsonObject | null }

/**
 * Returns the media of a video, or of a post with one: what its `url` leads to, else the first attachment that can be played. Several
 * attachments are several videos, several links of one are its renditions.
 */
export function parseVideoMedia(document: JsonObject): VideoMedia {
  const ofDocument = parseMediaLinks(linksOf(document.url, MAX_LINKS), document.mediaType)
  if (isPlayable(ofDocument)) return { ...ofDocument, attachment: null }
  for (const attachment of listOf(document.attachment).slice(0, MAX_ATTACHMENTS).filter(isObject)) {
    const ofAttachment = parseMediaLinks(linksOf(attachment), null)
    if (isPlayable(ofAttachment)) return { ...ofAttachment, htmlUrl: ofDocument.htmlUrl, attachment }
  }
  return { ...ofDocument, attachment: null }
}

/** Whether a video has moving pictures that browsers play. */
export function isPlayable({ files, playlist }: Pick<VideoObject, 'files' | 'playlist'>): boolean {
  return playlist !== null || files.some(({ mediaType }) => mediaType.startsWith('video/'))
}

function parseMediaLinks(forms: LinkForm[], documentType: unknown): Omit<VideoMedia, 'attachment'> {
  const links = forms.slice(0, MAX_LINKS).map(({ href, mediaType, link }): JsonObject => {
    const type = mediaType ?? (typeof documentType === 'string' && /^video\//i.test(documentType) ? documentType : null)
    return { ...link, href, mediaType: canonicalMediaType(type, href) }
  })
  const html = links.find(link => (link.mediaType ?? 'text/html') === 'text/html' && httpUrl(link.href) && link.rel === undefined)
  return {
    htmlUrl: html ? httpUrl(html.href) : null,
    files: parseFileLinks(links),
    playlist: parseHlsPlaylistLink(links),
    trackers: parseTrackerLinks(links)
  }
}

/** Returns the one name of a media type without parameters, of a link without one the type that its file name stands for. */
function canonicalMediaType(mediaType: string | null, href: string): string | null {
  if (mediaType === null || mediaType === 'application/octet-stream') {
    const extension = /\.(\w{1,5})$/.exec(parseUrl(href)?.pathname ?? '')?.[1]?.toLowerCase() ?? ''
    return Object.hasOwn(EXTENSION_TYPES, extension) ? EXTENSION_TYPES[extension]! : mediaType
  }
  if (mediaType === MAGNET_TYPE) return mediaType
  const essence = mediaType.split(';', 1)[0]!.trim().toLowerCase()
  return Object.hasOwn(MEDIA_TYPE_ALIASES, essence) ? MEDIA_TYPE_ALIASES[essence]! : essence
}

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
        height: file.height ?? 0,
        size: file.size,
        fps: file.fps,
        // Without a height PeerTube means sound alone, others say nothing.
        streams: parseStreams(file.attachment) ?? (isSizeUnknown(file) ? { audio: true, video: true } : null),
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
  const segmentHashes = tags.find(tag => typeOf(tag) === 'Link' && tag.name === 'sha256')
  return {
    url: httpUrl(link.href)!,
    segmentsSha256Url: httpUrl(segmentHashes?.href),
    files: parseFileLinks(tags.filter(tag => typeOf(tag) === 'Link')),
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

const isSizeUnknown = ({ mediaType, height }: z.output<typeof FileLinkDocument>) =>
  mediaType.startsWith('video/') && (height === null || height === undefined)
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
