import { z } from 'zod'
import { httpUrl } from '../fediverse/origin.ts'
import { idOf, isObject, listOf, AS_PUBLIC, typeOf } from '../fediverse/vocabulary.ts'
import { cleanLine, cleanText } from '../fediverse/text-limits.ts'
import { parseFileLinks, parseHlsPlaylistLink, parseTrackerLinks } from './video-links.codec.ts'
import { VIDEO_CATEGORY_LABELS, VIDEO_LANGUAGE_LABELS, VIDEO_LICENCE_LABELS } from './labels.ts'
import type { CaptionLink, ImageLink, StoryboardLink, VideoObject } from './video-object.ts'

/** A document that is no video this instance can keep. */
export class InvalidVideoError extends Error {}

const PICTURE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const SPDX: Record<string, number> = {
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
const Moment = z
  .string()
  .max(60)
  .transform((value, context) => {
    const date = new Date(value)
    if (!Number.isNaN(date.getTime()) && date.getUTCFullYear() >= 1 && date.getUTCFullYear() <= 9999) return date
    context.addIssue({ code: 'custom', message: 'no date' })
    return z.NEVER
  })
const Flag = (otherwise: boolean) => z.boolean().catch(otherwise)
const Entries = z.unknown().transform(value => listOf(value))

/** What a Video must have (docs/federation.md#video-documents); whatever else is strange is left out instead. */
const Wire = z.object({
  id: Url,
  type: z.literal('Video'),
  name: z
    .string()
    .transform(text => cleanLine(text, MAX.name))
    .pipe(z.string().min(1)),
  uuid: z.uuid().transform(uuid => uuid.toLowerCase()),
  duration: Seconds,
  views: Count.default(0),
  published: Moment,
  updated: Moment,
  originallyPublishedAt: Moment.nullish().catch(null),
  url: Entries,
  icon: Entries,
  attributedTo: Entries,
  to: Entries,
  cc: Entries,
  tag: Entries,
  preview: Entries,
  subtitleLanguage: Entries,
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

/** Reads the document of a video, of PeerTube 6 to 8 or whoever writes alike. Throws InvalidVideo. */
export function parseVideoObject(document: unknown): VideoObject {
  if (!isObject(document)) throw new InvalidVideoError('the video is no object')
  // What is missing is read as undefined.
  const parsed = Wire.safeParse(Object.fromEntries(Object.keys(Wire.shape).map(key => [key, document[key]])))
  if (!parsed.success) throw new InvalidVideoError(`the video is not valid: ${parsed.error.issues[0]!.path.join('.')}`)
  const wire = parsed.data
  const { account, channel } = owners(wire.attributedTo)
  const content = typeof wire.content === 'string' ? cleanText(wire.content, MAX.content) : null
  return {
    id: wire.id,
    uuid: wire.uuid,
    name: wire.name,
    duration: wire.duration,
    public: addressed(wire.to).includes(AS_PUBLIC),
    cc: addressed(wire.cc).slice(0, MAX.cc),
    category: numbered(wire.category, VIDEO_CATEGORY_LABELS),
    licence: licence(wire.licence),
    language: language(wire.language),
    views: wire.views,
    sensitive: wire.sensitive,
    summary: wire.sensitive ? text(wire.summary, MAX.support) : null,
    waitTranscoding: wire.waitTranscoding,
    state: wire.state,
    // Whoever says neither has comments closed.
    commentsPolicy: wire.commentsPolicy ?? (wire.commentsEnabled === true ? 1 : 2),
    downloadEnabled: wire.downloadEnabled,
    published: wire.published,
    updated: wire.updated,
    originallyPublished: wire.originallyPublishedAt ?? null,
    tags: tags(wire.tag),
    content,
    mediaType: wire.mediaType === 'text/html' ? 'text/html' : 'text/markdown',
    support: text(wire.support, MAX.support),
    captions: captions(wire.subtitleLanguage),
    icons: icons(wire.icon),
    storyboard: storyboard(wire.preview),
    aspectRatio: wire.aspectRatio ?? null,
    ...readLinks(wire.url),
    collections: { likes: wire.likes, dislikes: wire.dislikes, shares: wire.shares, comments: wire.comments, chapters: wire.hasParts },
    account,
    channel,
    live: wire.isLiveBroadcast ? { saveReplay: wire.liveSaveReplay, permanent: wire.permanentLive, latencyMode: wire.latencyMode } : null
  }
}

function readLinks(urls: unknown[]): Pick<VideoObject, 'htmlUrl' | 'files' | 'playlist' | 'trackers'> {
  const links = urls.slice(0, MAX.files).filter(isObject)
  const html = links.find(link => link.mediaType === 'text/html' && httpUrl(link.href))
  return {
    htmlUrl: html ? httpUrl(html.href) : null,
    files: parseFileLinks(links),
    playlist: parseHlsPlaylistLink(links),
    trackers: parseTrackerLinks(links)
  }
}

/** 6 and 7 write objects with types, 8 writes addresses: the account, then the channel. */
function owners(attributedTo: unknown[]): { account: string | null; channel: string } {
  const known = attributedTo
    .slice(0, 10)
    .map(one => ({ type: typeOf(one), id: httpUrl(idOf(one)) }))
    .filter((one): one is { type: string | null; id: string } => one.id !== null)
  const typed = (types: string[]) => known.find(one => one.type !== null && types.includes(one.type))?.id
  const untyped = known.filter(one => one.type === null)
  const channel = typed(['Group']) ?? untyped.at(-1)?.id
  if (!channel) throw new InvalidVideoError('the video has no channel')
  const account = typed(['Person', 'Application', 'Service', 'Organization']) ?? untyped.find(one => one.id !== channel)?.id
  return { account: account ?? null, channel }
}

const addressed = (list: unknown[]) => list.map(idOf).filter(id => id !== null)
const identifier = (value: unknown) =>
  isObject(value) && (typeof value.identifier === 'string' || typeof value.identifier === 'number') ? String(value.identifier) : null
const text = (value: unknown, max: number) => (typeof value === 'string' ? cleanText(value, max) : null)

function numbered(value: unknown, labels: Record<number, string>): number | null {
  const id = Number(identifier(value) ?? NaN)
  return Object.hasOwn(labels, id) ? id : null
}

function licence(value: unknown): number | null {
  const id = identifier(value) ?? ''
  return Object.hasOwn(SPDX, id) ? SPDX[id]! : numbered(value, VIDEO_LICENCE_LABELS)
}

function language(value: unknown): string | null {
  const id = identifier(value)
  return id !== null && Object.hasOwn(VIDEO_LANGUAGE_LABELS, id) ? id : null
}

function tags(list: unknown[]): string[] {
  const names = list
    .slice(0, MAX.files)
    .filter(one => typeOf(one) === 'Hashtag' && isObject(one) && typeof one.name === 'string')
    .map(one => cleanLine((one as { name: string }).name.replace(/^#/, ''), MAX.tag + 1))
  return [...new Set(names)].filter(name => name.length >= 2 && name.length <= MAX.tag).slice(0, MAX.tags)
}

function captions(list: unknown[]): CaptionLink[] {
  const found = new Map<string, CaptionLink>()
  for (const one of list.slice(0, MAX.captions)) {
    const id = language(one)
    if (!isObject(one) || id === null || found.has(id)) continue
    // From 8 on several links, of which one is WebVTT.
    const vtt = listOf(one.url)
      .slice(0, 10)
      .find(link => typeof link === 'string' || (isObject(link) && link.mediaType === 'text/vtt'))
    const url = httpUrl(isObject(vtt) ? vtt.href : vtt)
    if (url) found.set(id, { language: id, label: VIDEO_LANGUAGE_LABELS[id]!, automatic: one.automaticallyGenerated === true, url })
  }
  return [...found.values()]
}

function icons(list: unknown[]): ImageLink[] {
  const Icon = z.object({
    type: z.literal('Image'),
    url: Url,
    mediaType: z.enum(PICTURE_TYPES),
    width: z.int().positive(),
    height: z.int().positive()
  })
  return list
    .slice(0, 20)
    .map(one => Icon.safeParse(one).data)
    .filter(one => one !== undefined)
    .map(({ url, mediaType, width, height }) => ({ url, mediaType, width, height }))
}

function storyboard(list: unknown[]): StoryboardLink | null {
  const size = z.int().positive().max(100_000)
  const Sheet = z.object({
    mediaType: z.enum(PICTURE_TYPES),
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
      .map(one => Sheet.safeParse(one).data)
      .find(one => one !== undefined)
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
