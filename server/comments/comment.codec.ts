import { parseRemoteDate } from '../fediverse/dates.ts'
import { httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { cleanLine, cleanText } from '../fediverse/text-limits.ts'
import { addressesPublic, formsOf, idOf, linksOf, textOf, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { firstLineOfHtml, lineOfHtml } from '../videos/html-to-text.ts'

const MAX_TEXT = 10_000
const MAX_TITLE = 200
const MAX_SUMMARY = 500
const MAX_NAME = 1500
const MAX_PARENTS = 10

/** Types of objects that are comments where they reply to a video or a comment. */
export const COMMENT_TYPES: readonly string[] = ['Note', 'Question', 'Article', 'Page']

/** What is attached to a comment; `mediaType` and `name` (alternative text) are null where they are not known. */
export type NoteAttachment = { url: string; mediaType: string | null; name: string | null }

/** A comment as parsed from a Note of its author's server. */
export type ParsedCommentNote = {
  type: string
  url: string
  /** The actor of the activity that it came in, where that is one of `authors`; else the first that is not said to be a group. */
  author: string
  authors: string[]
  /** URLs of what it replies to, at least one; the first that is known counts. */
  inReplyTo: string[]
  content: string
  isMarkdown: boolean
  /** What stands for the content of an Article or Page, or in addition to that of a Question. */
  link: { url: string; title: string } | null
  /** A warning behind which the content is folded. */
  summary: string | null
  attachments: NoteAttachment[]
  /** Null where the document does not say it. */
  published: Date | null
  updated: Date | null
  isPublic: boolean
  approval: string | null
}

/**
 * Parses a Note, Question, Article or Page, with its lengths and dates bounded; returns null where it is not a valid comment. `activity`:
 * the one that it came in.
 */
export function parseCommentNote(object: JsonObject, activity?: JsonObject): ParsedCommentNote | null {
  const type = typeOf(object)
  const url = httpUrl(object.id)
  const authors = authorsOf(object)
  const actor = httpUrl(idOf(activity?.actor))
  const author = authors.find(one => one === actor) ?? authors[0]
  const inReplyTo = parentsOf(object)
  if (type === null || !COMMENT_TYPES.includes(type) || !url || !author || inReplyTo.length === 0) return null
  if (!authors.every(one => sameOrigin(url, one))) return null
  const isTitle = type === 'Article' || type === 'Page'
  const link = type === 'Note' ? null : { url: pageOf(object) ?? url, title: titleOf(object) }
  const isTitleAlone = link !== null && (type !== 'Question' || link.title !== '')
  const content = isTitleAlone ? '' : (textOf(object, 'content') ?? '')
  const attachments = parseAttachments(object.attachment)
  if ((content === '' && !link && attachments.length === 0) || content.length > 5 * MAX_TEXT) return null
  const published = parseDate(object.published)
  return {
    type,
    url,
    author,
    authors,
    inReplyTo,
    content,
    isMarkdown: object.mediaType === 'text/markdown',
    link: link && { ...link, title: link.title || link.url },
    // That of an Article or Page is an excerpt.
    summary: (isTitle ? '' : lineOfHtml(textOf(object, 'summary') ?? '', MAX_SUMMARY)) || null,
    attachments,
    published,
    updated: parseDate(object.updated) ?? published,
    isPublic: isPublicNote(object, activity) ?? false,
    approval: httpUrl(object.replyApproval)
  }
}

/** Returns the URLs of those an object is attributed to, groups last. */
export function authorsOf(object: JsonObject): string[] {
  const authors = formsOf(object.attributedTo)
  const isGroup = (author: unknown) => typeOf(author) === 'Group'
  const urls = [...authors.filter(one => !isGroup(one)), ...authors.filter(isGroup)].map(one => httpUrl(idOf(one)))
  return [...new Set(urls)].filter(url => url !== null)
}

/** Returns the URLs of what an object replies to. */
export function parentsOf(object: JsonObject): string[] {
  const parents = formsOf(object.inReplyTo).map(parent => httpUrl(idOf(parent)))
  return [...new Set(parents)].filter(parent => parent !== null).slice(0, MAX_PARENTS)
}

/** Whether an object is for everybody; where it names nobody its activity says it, null where that does not either. */
export function isPublicNote(object: JsonObject, activity?: JsonObject): boolean | null {
  const addressed = [object, activity].find(one => one && (one.to !== undefined || one.cc !== undefined))
  return addressed ? addressesPublic(addressed.to) || addressesPublic(addressed.cc) : null
}

/** Returns the content of a comment as sanitised HTML; empty where it has only attachments. */
export async function renderCommentNoteHtml({ content, isMarkdown, link }: ParsedCommentNote): Promise<string> {
  const { markdownToHtml, sanitizeRemoteHtml } = await import('../core/markdown.ts')
  const whole = isMarkdown ? markdownToHtml(content) : sanitizeRemoteHtml(content)
  // Sanitised again, so that every tag is closed.
  const html = whole.length <= MAX_TEXT ? whole : sanitizeRemoteHtml(cutHtml(whole, MAX_TEXT))
  return link ? html + sanitizeRemoteHtml(`<p><a href="${escapeHtml(link.url)}">${escapeHtml(link.title)}</a></p>`) : html
}

/** The first characters of sanitised HTML, without a tag, an entity or a character that is cut through. */
const cutHtml = (html: string, max: number) =>
  html
    .slice(0, max)
    .replace(/<[^<>]*$/, '')
    .replace(/&[#\w]{0,10}$/, '')
    .replace(/[\ud800-\udbff]$/, '')

/** Returns the Markdown that a comment was written in, as PeerTube sends it; null where its origin sent HTML or only a link. */
export function sourceOfCommentNote({ content, isMarkdown, link }: ParsedCommentNote): string | null {
  return isMarkdown && !link ? content.slice(0, MAX_TEXT) : null
}

const pageOf = (object: JsonObject) =>
  linksOf(object.url)
    .filter(({ mediaType }) => (mediaType ?? 'text/html') === 'text/html')
    .map(({ href }) => httpUrl(href))
    .find(href => href !== null)

/** Returns the title of an Article, Page or Question; empty for a Question that has only its text, as Mastodon writes it. */
function titleOf(object: JsonObject): string {
  const name = cleanLine(textOf(object, 'name') ?? '', MAX_TITLE)
  return name || typeOf(object) === 'Question' ? name : firstLineOfHtml(textOf(object, 'content') ?? '', MAX_TITLE)
}

function parseAttachments(value: unknown): NoteAttachment[] {
  return formsOf(value).flatMap(attachment => {
    const [link] = linksOf(attachment)
    const url = httpUrl(link?.href)
    if (!link || !url) return []
    const name = cleanText(textOf(link.link, 'name') ?? textOf(link.link, 'summary') ?? '', MAX_NAME)
    return [{ url, mediaType: /^[\w.+-]{1,60}\/[\w.+-]{1,60}/.exec(link.mediaType ?? '')?.[0].toLowerCase() ?? null, name }]
  })
}

/** Returns a date that has come; one to come is now. */
function parseDate(value: unknown): Date | null {
  const date = parseRemoteDate(value)
  return date && new Date(Math.min(date.getTime(), Date.now()))
}

const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, character => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[character]!)
