import { parseRemoteDate } from '../fediverse/dates.ts'
import { z } from 'zod'
import type { SearchRefusal } from '../../shared/search.ts'
import { parseIsoDuration } from '../fediverse/iso-duration.ts'
import { httpUrl } from '../fediverse/origin.ts'
import { ACTOR_TYPES, addressesPublic, idOf, isObject, linksOf, listOf, textOf, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { cleanLine, cleanText } from '../fediverse/text-limits.ts'
import { firstLineOfHtml } from './html-to-text.ts'
import { parseVideoMedia } from './video-links.codec.ts'
import { languageLabel, parseLanguageTag, VIDEO_CATEGORY_LABELS, VIDEO_LICENCE_LABELS } from './labels.ts'
import type { CaptionLink, ImageLink, StoryboardLink, VideoObject } from './video-object.ts'
import { uuidOfUrl } from './video-uuid.ts'

/** Why a document is no video that this instance can store. */
export type InvalidVideoReason = Extract<SearchRefusal, 'not_a_video' | 'no_media' | 'not_public' | 'reply' | 'invalid'>

/** The document is not a video that this instance can store. */
export class InvalidVideoError extends Error {
  readonly reason: InvalidVideoReason
  constructor(reason: InvalidVideoReason, message: string) {
    super(message)
    this.reason = reason
  }
}

/** Types of posts that may have a video attached. */
export const POST_TYPES: readonly string[] = ['Note', 'Article', 'Page']

/** Media types of images by the ends of file names. */
const IMAGE_EXTENSIONS: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif'
}
const IMAGE_TYPES = [...new Set(Object.values(IMAGE_EXTENSIONS))]
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
const Seconds = z.preprocess(
  value => (typeof value === 'string' ? parseIsoDuration(value, MAX.number) : value),
  z
    .number()
    .min(0)
    .transform(value => Math.min(Math.floor(value), MAX.number))
)
const Timestamp = z.string().transform((value, context) => {
  const date = parseRemoteDate(value)
  if (date) return date
  context.addIssue({ code: 'custom', message: 'no date' })
  return z.NEVER
})
const Flag = (fallback: boolean) => z.boolean().catch(fallback)
const List = z.unknown().transform(value => listOf(value))

/** The fields of a Video (docs/federation.md#video-documents). An invalid required field fails; other invalid values are dropped. */
const VideoDocument = z.object({
  id: Url,
  uuid: z
    .uuid()
    .transform(uuid => uuid.toLowerCase())
    .nullable()
    .catch(null),
  views: Count.default(0),
  published: Timestamp.nullish().catch(null),
  updated: Timestamp.nullish().catch(null),
  originallyPublishedAt: Timestamp.nullish().catch(null),
  attributedTo: List,
  cc: List,
  tag: List,
  preview: List,
  subtitleLanguage: List,
  category: z.unknown(),
  licence: z.unknown(),
  language: z.unknown(),
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

/**
 * Parses the document of a video, as PeerTube 6 to 8 and other software write it, or of a public post (`POST_TYPES`) with a video attached.
 * Whether a post has anything to play is not checked. Throws InvalidVideoError.
 */
export function parseVideoObject(document: unknown): VideoObject {
  if (!isObject(document)) throw new InvalidVideoError('invalid', 'the video is no object')
  const type = typeOf(document)
  const isPost = type !== null && POST_TYPES.includes(type)
  if (type !== 'Video' && !isPost) throw new InvalidVideoError('not_a_video', `${String(type).slice(0, 100)} is no video`)
  if (isPost && isReply(document)) throw new InvalidVideoError('reply', 'a reply is a comment')
  // Missing fields become undefined.
  const parsed = VideoDocument.safeParse(Object.fromEntries(Object.keys(VideoDocument.shape).map(key => [key, document[key]])))
  if (!parsed.success) throw new InvalidVideoError('invalid', `the video is not valid: ${parsed.error.issues[0]!.path.join('.')}`)
  const fields = parsed.data
  const { account, channel } = parseOwners(fields.attributedTo)
  const isPublic = addressesPublic(document.to)
  // PeerTube addresses unlisted videos to nobody.
  const isUnlisted = addressesPublic(document.cc) || (!isPost && [...listOf(document.to), ...fields.cc].length === 0)
  if (!isPublic && !isUnlisted) throw new InvalidVideoError('not_public', 'the video is not for everybody')
  const content = cleanText(textOf(document, 'content') ?? '', MAX.content)
  const { attachment, ...media } = parseVideoMedia(document)
  const name = cleanLine(textOf(document, 'name') ?? '', MAX.name) || titleOf(document, attachment) || (isPost ? 'Video' : '')
  if (name === '') throw new InvalidVideoError('invalid', 'the video has no name')
  return {
    id: fields.id,
    uuid: fields.uuid ?? uuidOfUrl(fields.id),
    name,
    duration: Seconds.safeParse(document.duration).data ?? Seconds.safeParse(attachment?.duration).data ?? 0,
    public: isPublic,
    cc: idsOf(fields.cc).slice(0, MAX.cc),
    category: parseNumericId(fields.category, VIDEO_CATEGORY_LABELS),
    licence: parseLicence(fields.licence),
    language: parseLanguage(fields.language),
    views: fields.views,
    sensitive: fields.sensitive,
    summary: fields.sensitive ? optionalText(document, 'summary') : null,
    waitTranscoding: fields.waitTranscoding,
    state: fields.state,
    // PeerTube disables comments without either field; posts can be replied to.
    commentsPolicy: fields.commentsPolicy ?? ((fields.commentsEnabled ?? isPost) ? 1 : 2),
    downloadEnabled: fields.downloadEnabled,
    published: fields.published ?? null,
    updated: fields.updated ?? null,
    originallyPublished: fields.originallyPublishedAt ?? null,
    tags: parseTags(fields.tag),
    content,
    // HTML where nothing else is said (ActivityStreams Vocabulary §4).
    mediaType: /^text\/(?!html\b)/i.test(String(document.mediaType)) ? 'text/markdown' : 'text/html',
    support: optionalText(document, 'support'),
    captions: parseCaptions(fields.subtitleLanguage),
    icons: parseIcons([document.icon, document.image, attachment?.icon, attachment?.image].flatMap(listOf)),
    storyboard: parseStoryboard(fields.preview),
    aspectRatio: fields.aspectRatio ?? null,
    ...media,
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

/** Whether a post answers another: some software writes an empty or false `inReplyTo` where there is none. */
function isReply({ inReplyTo }: JsonObject): boolean {
  return listOf(inReplyTo).some(parent =>
    typeof parent === 'string' ? parent.trim() !== '' : isObject(parent) && Object.keys(parent).length > 0
  )
}

/** Returns a title for a video without a name: the first line of its text, or what the attachment is called; may be empty. */
function titleOf(document: JsonObject, attachment: JsonObject | null): string {
  const texts = [textOf(document, 'content'), attachment && textOf(attachment, 'name'), textOf(document, 'summary')]
  return texts.map(text => firstLineOfHtml(text ?? '', MAX.name)).find(title => title !== '') ?? ''
}

/**
 * Returns the owners of a video. PeerTube 6 and 7 write objects with types; 8 writes URLs, the account before the channel. Where only an
 * account is named, it stands for its channel, too.
 */
function parseOwners(attributedTo: unknown[]): { account: string | null; channel: string } {
  const owners = attributedTo
    .slice(0, 10)
    .map(owner => ({ type: typeOf(owner), id: httpUrl(idOf(owner)) }))
    .filter((owner): owner is { type: string | null; id: string } => owner.id !== null)
  const findTyped = (types: string[]) => owners.find(owner => owner.type !== null && types.includes(owner.type))?.id
  const untyped = owners.filter(owner => owner.type === null)
  const accountTypes = ACTOR_TYPES.filter(type => type !== 'Group')
  const channel = findTyped(['Group']) ?? untyped.at(-1)?.id ?? findTyped(accountTypes)
  if (!channel) throw new InvalidVideoError('invalid', 'the video has no owner')
  const account = findTyped(accountTypes) ?? untyped.find(owner => owner.id !== channel)?.id
  return { account: account ?? null, channel }
}

const idsOf = (list: unknown[]) => list.map(idOf).filter(id => id !== null)
const identifierOf = (value: unknown) =>
  isObject(value) && (typeof value.identifier === 'string' || typeof value.identifier === 'number') ? String(value.identifier) : null
const optionalText = (document: JsonObject, property: string) => cleanText(textOf(document, property) ?? '', MAX.support)

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

/** Returns the images of a list in any form; width and height are 0 where they are not known. */
function parseIcons(list: unknown[]): ImageLink[] {
  const size = z.int().positive().catch(0)
  return linksOf(list.slice(0, 20)).flatMap(({ href, mediaType, link }) => {
    const url = httpUrl(href)
    const extension = /\.(\w{1,5})$/.exec(url ? new URL(url).pathname : '')?.[1]?.toLowerCase() ?? ''
    const type = mediaType ?? IMAGE_EXTENSIONS[extension] ?? 'image/jpeg'
    if (!url || !IMAGE_TYPES.includes(type)) return []
    return [{ url, mediaType: type, width: size.parse(link.width), height: size.parse(link.height) }]
  })
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
