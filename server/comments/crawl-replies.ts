import { runQuery, sql } from '../core/sql.ts'
import { fetchCollectionPages, startOfCollection } from '../fediverse/remote-collection.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { findTombstoned } from '../fediverse/tombstones.ts'
import { idOf, isObject, typeOf } from '../fediverse/vocabulary.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'
import { requestObjectRefresh } from '../fediverse/object-refreshes.ts'
import { isPassingFetchError } from '../fediverse/fetch-budget.ts'
import { COMMENT_REPAIR } from './repair-internals.ts'
import { fetchRemoteComment, removeRemoteComment, storeCommentDocument } from './comment.inbox.ts'

/**
 * Reads a comment of another server again: stores how it is now, replaces it by a tombstone where it is gone, and fetches the replies that
 * its `replies` collection lists and that are unknown here (ActivityStreams vocabulary, `replies`). Throws FetchError.
 */
export async function crawlReplies({ id, url }: { id: number; url: string }): Promise<void> {
  const startedAt = new Date()
  const noteRead = async () => void (await runQuery(sql`UPDATE comments SET replies_read_at = ${startedAt} WHERE id = ${id}`))
  try {
    await readCommentWithReplies(url)
    await noteRead()
  } catch (error) {
    // What its server does not answer for now stays due.
    if (error instanceof FetchError && !isPassingFetchError(error)) await noteRead()
    throw error
  }
}

async function readCommentWithReplies(url: string): Promise<void> {
  const budget = new FetchBudget()
  const document = await fetchRemoteDocument(url, { budget }).then(
    fetched => fetched.document,
    (error: unknown) => {
      if (error instanceof FetchError && (error.kind === 'gone' || error.kind === 'missing')) return null
      throw error
    }
  )
  if (!document || typeOf(document) === 'Tombstone') return await removeRemoteComment(url)
  await storeCommentDocument(document, budget)
  await fetchUnknownComments(await listReplies(document.replies, url), url)
}

/**
 * Fetches those comments of the list of a video or comment (`listedBy`: its address) that are unknown here, the first ones first; one that
 * cannot be had is skipped, and asked for later where its server does not answer. Throws FetchError of kind budget.
 */
export async function fetchUnknownComments(urls: string[], listedBy: string): Promise<void> {
  const known = new Set((await runQuery<{ url: string }>(sql`SELECT url FROM comments WHERE url = ANY(${urls})`)).map(({ url }) => url))
  const tombstoned = await findTombstoned(urls)
  let laterCount = 0
  for (const url of urls) {
    if (known.has(url) || tombstoned.has(url)) continue
    try {
      await fetchRemoteComment(url, listedBy)
    } catch (error) {
      if (!(error instanceof FetchError) || error.kind === 'budget') throw error
      if (error.kind === 'unreachable' && laterCount++ < COMMENT_REPAIR.maxLaterFetches) await requestObjectRefresh(url)
    }
  }
}

/** Returns the URLs of other servers in a `replies` collection, embedded in the comment or on its origin. */
async function listReplies(replies: unknown, commentUrl: string): Promise<string[]> {
  const urls = new Set<string>()
  const add = (items: unknown[]) => {
    for (const item of items) {
      const url = httpUrl(idOf(item))
      if (url && !isLocalUrl(url) && urls.size < CRAWL.maxReplies) urls.add(url)
    }
  }
  const start = isObject(replies) ? startOfCollection(replies, commentUrl) : { items: null, next: null }
  add(start.items ?? [])
  const isEmbedded = start.items !== null || start.next !== null
  const address = isEmbedded ? start.next : httpUrl(idOf(replies))
  if (address && sameOrigin(address, commentUrl)) {
    for await (const page of fetchCollectionPages(address, isEmbedded ? { from: address } : {})) {
      add(page.items)
      if (urls.size >= CRAWL.maxReplies) break
    }
  }
  return [...urls]
}
