import { z } from 'zod'
import { httpUrl } from '../fediverse/origin.ts'
import { idOf, isObject, listOf, AS_PUBLIC, typeOf } from '../fediverse/vocabulary.ts'
import { cleanLine, cleanText } from '../fediverse/text-limits.ts'
import { parseFileLinks, parseHlsPlaylistLink, parseTrackerLinks } from './video-links.codec.ts'
import { languageLabel, parseLanguageTag, VIDEO_CATEGORY_LABELS, VIDEO_LICENCE_LABELS } from './labels.ts'
import type { CaptionLink, ImageLink, StoryboardLink, VideoObject } from './video-object.ts'

/** The document is not a Video that this instance can store. */
export class InvalidVideoError extends Error {}

const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
/** SPDX identifiers of licences, which PeerTube 8 writes, to PeerTube's numbers. */
const SPDX_LICENCES: Record<string, number> = {
  'CC-BY-4.0': 1,
  'CC-BY-SA-4.0': 2,
  'CC-BY-ND-4.0': 3,
  'CC-BY-NC-4.0': 4,
  'CC-BY-NC-SA-4.0': 5,
  'CC-BY-NC-ND-4.0': 6,
  'CC0-1.0': 7,
  CC0: 7
}
const MAX = { name: 120, content: 10_000, support: 1000, tags: 5, tag: 30, captions: 200, files: 200, number: 2 ** 31 - 1, cc: 500 }

const Url = z.preprocess(value => httpUrl(value), z.string())
const OptionalUrl = z.preprocess(value => httpUrl(value), z.string().nullable())
const Count = z
  .number()
  .min(0)
  .transform(value => Math.min(Math.floor(value), MAX.number))
const Seconds = z
  .string()
  .regex(/^PT\d{1,9}(\.\d+)?S$/)
  .transform(value => Math.floor(Number(value.slice(2, -1))))
const Timestamp = z
  .string()
  .max(60)
  .transform((value, context) => {
    const date = new Date(value)
    if (!Number.isNaN(date.getTime()) && date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999) return date
    context.addIssue({ code: 'custom', message: 'no date' })
    return z.NEVER
  })
const Flag = (fallback: boolean) => z.boolean().catch(fallback)
const List = z.unknown().transform(value => listOf(value))

/** The fields of a Video (docs/federation.md#video-documents). An invalid required field fails; other invalid values are dropped. */
const VideoDocument = z.object({
  id: Url,
  type: z.literal('Video'),
  name: z
    .string()
    .transform(text => cleanLine(text, MAX.name))
    .pipe(z.string().min(1)),
  uuid: z.uuid().transform(uuid => uuid.toLowerCase()),
  duration: Seconds,
  views: Count.default(0),
  published: Timestamp,
  updated: Timestamp,
  originallyPublishedAt: Timestamp.nullish().catch(null),
  url: List,
  icon: List,
  attributedTo: List,
  to: List,
  cc: List,
  tag: List,
  preview: List,
  subtitleLanguage: List,
  category: z.unknown(),
  licence: z.unknown(),
  language: z.unknown(),
  content: z.unknown(),
  mediaType: z.unknown(),
  support: z.unknown(),
  summary: z.unknown(),
  sensitive: Flag(false),
  waitTranscoding: Flag(false),
  downloadEnabled: Flag(true),
  isLiveBroadcast: Flag(false),
  liveSaveReplay: Flag(false),
  permanentLive: Flag(false),
  state: z.int().min(1).max(12).catch(1),
  latencyMode: z.literal([1, 2, 3]).catch(1),
  commentsPolicy: z.literal([1, 2, 3]).nullish().catch(null),
  commentsEnabled: z.boolean().nullish().catch(null),
  aspectRatio: z.number().positive().max(1000).nullish().catch(null),
  likes: OptionalUrl,
  dislikes: OptionalUrl,
  shares: OptionalUrl,
  comments: OptionalUrl,
  hasParts: OptionalUrl
})

/** Parses the document of a video, as PeerTube 6 to 8 and compatible software write it. Throws InvalidVideoError. */
export function parseVideoObject(document: unknown): VideoObject {
  if (!isObject(document)) throw new InvalidVideoError('the video is no object')
  // Missing fields become undefined.
  const parsed = VideoDocument.safeParse(Object.fromEntries(Object.keys(VideoDocument.shape).map(key => [key, document[key]])))
  if (!parsed.success) throw new InvalidVideoError(`the video is not valid: ${parsed.error.issues[0]!.path.join('.')}`)
  const fields = parsed.data
  const { account, channel } = parseOwners(fields.attributedTo)
  const content = typeof fields.content === 'string' ? cleanText(fields.content, MAX.content) : null
  return {
    id: fields.id,
    uuid: fields.uuid,
    name: fields.name,
    duration: fields.duration,
    public: idsOf(fields.to).includes(AS_PUBLIC),
    cc: idsOf(fields.cc).slice(0, MAX.cc),
    category: parseNumericId(fields.category, VIDEO_CATEGORY_LABELS),
    licence: parseLicence(fields.licence),
    language: parseLanguage(fields.language),
    views: fields.views,
    sensitive: fields.sensitive,
    summary: fields.sensitive ? optionalText(fields.summary, MAX.support) : null,
    waitTranscoding: fields.waitTranscoding,
    state: fields.state,
    // Without either field, comments are disabled.
    commentsPolicy: fields.commentsPolicy ?? (fields.commentsEnabled === true ? 1 : 2),
    downloadEnabled: fields.downloadEnabled,
    published: fields.published,
    updated: fields.updated,
    originallyPublished: fields.originallyPublishedAt ?? null,
    tags: parseTags(fields.tag),
    content,
    mediaType: fields.mediaType === 'text/html' ? 'text/html' : 'text/markdown',
    support: optionalText(fields.support, MAX.support),
    captions: parseCaptions(fields.subtitleLanguage),
    icons: parseIcons(fields.icon),
    storyboard: parseStoryboard(fields.preview),
    aspectRatio: fields.aspectRatio ?? null,
    ...parseLinks(fields.url),
    collections: {
      likes: fields.likes,
      dislikes: fields.dislikes,
      shares: fields.shares,
      comments: fields.comments,
      replies: null,
      chapters: fields.hasParts
    },
    account,
    channel,
    live: fields.isLiveBroadcast
      ? { saveReplay: fields.liveSaveReplay, permanent: fields.permanentLive, latencyMode: fields.latencyMode }
      : null
  }
}

function parseLinks(urls: unknown[]): Pick<VideoObject, 'htmlUrl' | 'files' | 'playlist' | 'trackers'> {
  const links = urls.slice(0, MAX.files).filter(isObject)
  const html = links.find(link => link.mediaType === 'text/html' && httpUrl(link.href))
  return {
    htmlUrl: html ? httpUrl(html.href) : null,
    files: parseFileLinks(links),
    playlist: parseHlsPlaylistLink(links),
    trackers: parseTrackerLinks(links)
  }
}

/** Returns the owners of a video. PeerTube 6 and 7 write objects with types; 8 writes URLs, the account before the channel. */
function parseOwners(attributedTo: unknown[]): { account: string | null; channel: string } {
  const owners = attributedTo
    .slice(0, 10)
    .map(owner => ({ type: typeOf(owner), id: httpUrl(idOf(owner)) }))
    .filter((owner): owner is { type: string | null; id: string } => owner.id !== null)
  const findTyped = (types: string[]) => owners.find(owner => owner.type !== null && types.includes(owner.type))?.id
  const untyped = owners.filter(owner => owner.type === null)
  const channel = findTyped(['Group']) ?? untyped.at(-1)?.id
  if (!channel) throw new InvalidVideoError('the video has no channel')
  const account = findTyped(['Person', 'Application', 'Service', 'Organization']) ?? untyped.find(owner => owner.id !== channel)?.id
  return { account: account ?? null, channel }
}

const idsOf = (list: unknown[]) => list.map(idOf).filter(id => id !== null)
const identifierOf = (value: unknown) =>
  isObject(value) && (typeof value.identifier === 'string' || typeof value.identifier === 'number') ? String(value.identifier) : null
const optionalText = (value: unknown, max: number) => (typeof value === 'string' ? cleanText(value, max) : null)

function parseNumericId(value: unknown, labels: Record<number, string>): number | null {
  const id = Number(identifierOf(value) ?? NaN)
  return Object.hasOwn(labels, id) ? id : null
}

function parseLicence(value: unknown): number | null {
  const id = identifierOf(value) ?? ''
  return Object.hasOwn(SPDX_LICENCES, id) ? SPDX_LICENCES[id]! : parseNumericId(value, VIDEO_LICENCE_LABELS)
}

function parseLanguage(value: unknown): string | null {
  const id = identifierOf(value)
  return id === null ? null : parseLanguageTag(id)
}

function parseTags(list: unknown[]): string[] {
  const names = list
    .slice(0, MAX.files)
    .filter(tag => typeOf(tag) === 'Hashtag' && isObject(tag) && typeof tag.name === 'string')
    .map(tag => cleanLine((tag as { name: string }).name.replace(/^#/, ''), MAX.tag + 1))
  return [...new Set(names)].filter(name => name.length >= 2 && name.length <= MAX.tag).slice(0, MAX.tags)
}

function parseCaptions(list: unknown[]): CaptionLink[] {
  const captions = new Map<string, CaptionLink>()
  for (const entry of list.slice(0, MAX.captions)) {
    const language = parseLanguage(entry)
    const key = language?.toLowerCase()
    if (!isObject(entry) || !language || !key || captions.has(key)) continue
    // PeerTube 8 writes several links, one of which is WebVTT.
    const vtt = listOf(entry.url)
      .slice(0, 10)
      .find(link => typeof link === 'string' || (isObject(link) && link.mediaType === 'text/vtt'))
    const url = httpUrl(isObject(vtt) ? vtt.href : vtt)
    const automatic = entry.automaticallyGenerated === true
    if (url) captions.set(key, { language, label: languageLabel(language), automatic, url })
  }
  return [...captions.values()]
}

function parseIcons(list: unknown[]): ImageLink[] {
  const Icon = z.object({
    type: z.literal('Image'),
    url: Url,
    mediaType: z.enum(IMAGE_TYPES),
    width: z.int().positive(),
    height: z.int().positive()
  })
  return list
    .slice(0, 20)
    .map(icon => Icon.safeParse(icon).data)
    .filter(icon => icon !== undefined)
    .map(({ url, mediaType, width, height }) => ({ url, mediaType, width, height }))
}

function parseStoryboard(list: unknown[]): StoryboardLink | null {
  const size = z.int().positive().max(100_000)
  const Sheet = z.object({
    mediaType: z.enum(IMAGE_TYPES),
    href: Url,
    width: size,
    height: size,
    tileWidth: size,
    tileHeight: size,
    tileDuration: Seconds
  })
  for (const preview of list.slice(0, 10)) {
    if (!isObject(preview) || !listOf(preview.rel).includes('storyboard')) continue
    const sheet = listOf(preview.url)
      .slice(0, 10)
      .map(link => Sheet.safeParse(link).data)
      .find(link => link !== undefined)
    if (sheet)
      return {
        url: sheet.href,
        width: sheet.width,
        height: sheet.height,
        tileWidth: sheet.tileWidth,
        tileHeight: sheet.tileHeight,
        tileDuration: Math.max(1, sheet.tileDuration)
      }
  }
  return null
}
