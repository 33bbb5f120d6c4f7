import { httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { idOf, listOf, AS_PUBLIC, type JsonObject } from '../fediverse/vocabulary.ts'

const MAX_TEXT = 10_000

/** A comment as parsed from a Note of its author's server. */
export type ParsedCommentNote = {
  url: string
  author: string
  inReplyTo: string
  content: string
  isMarkdown: boolean
  published: Date
  updated: Date
  isPublic: boolean
  approval: string | null
}

/** Parses a Note, with its lengths and dates bounded; returns null where it is not a valid comment. */
export function parseCommentNote(object: JsonObject): ParsedCommentNote | null {
  const url = httpUrl(object.id)
  const author = httpUrl(idOf(listOf(object.attributedTo)[0]))
  const inReplyTo = httpUrl(idOf(object.inReplyTo))
  const content = typeof object.content === 'string' ? object.content : ''
  const published = typeof object.published === 'string' ? new Date(object.published) : null
  if (
    !url ||
    !author ||
    !inReplyTo ||
    content.trim() === '' ||
    content.length > 5 * MAX_TEXT ||
    !sameOrigin(url, author) ||
    !published ||
    Number.isNaN(published.getTime())
  )
    return null
  const updated = typeof object.updated === 'string' ? new Date(object.updated) : published
  const now = new Date()
  return {
    url,
    author,
    inReplyTo,
    content,
    isMarkdown: object.mediaType === 'text/markdown',
    published: published > now ? now : published,
    updated: Number.isNaN(updated.getTime()) || updated > now ? now : updated,
    isPublic: [...listOf(object.to), ...listOf(object.cc)].some(one => one === AS_PUBLIC || one === 'as:Public' || one === 'Public'),
    approval: httpUrl(object.replyApproval)
  }
}

/** Returns the content of a comment as sanitised HTML. */
export async function renderCommentNoteHtml(note: ParsedCommentNote): Promise<string> {
  const { markdownToHtml, sanitizeRemoteHtml } = await import('../core/markdown.ts')
  return (note.isMarkdown ? markdownToHtml(note.content) : sanitizeRemoteHtml(note.content)).slice(0, MAX_TEXT)
}
