import { FetchBudget, FetchError, fetchRemoteDocument } from './remote-fetch.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { formsOf, isObject, listOf, type JsonObject } from './vocabulary.ts'
import { CRAWL } from './crawl-internals.ts'

/** A page of a remote collection: its items, the total the collection states, the URL of the next page. */
export type CollectionPage = { items: unknown[]; total: number | null; url: string; next: string | null }

/**
 * Yields the pages of a remote collection in order, all of its own origin, none twice, within `CRAWL`
 * (docs/federation.md#collections). `from`: URL of the page to start with. Throws FetchError.
 */
export async function* fetchCollectionPages(
  collection: string,
  { from = null }: { from?: string | null } = {}
): AsyncGenerator<CollectionPage> {
  const { maxPages, maxItems, maxTime, maxEmptyPages } = CRAWL
  const deadline = Date.now() + maxTime
  const visited = new Set<string>()
  const budget = new FetchBudget(maxPages + 2)
  let [total, itemCount, emptyPages, url]: [number | null, number, number, string | null] = [null, 0, 0, from]
  if (url === null) {
    const { document } = await fetchRemoteDocument(collection, { budget })
    total = totalOf(document)
    const start = startOfCollection(document, collection)
    url = start.next
    if (start.items !== null) {
      const items = start.items.slice(0, maxItems)
      itemCount += items.length
      yield { items, total, url: collection, next: url }
    }
  }
  while (url !== null && visited.size < maxPages && itemCount < maxItems && Date.now() < deadline) {
    if (visited.has(url)) return
    visited.add(url)
    const { document } = await fetchRemoteDocument(url, { budget })
    const pageItems = itemsOf(document).slice(0, maxItems - itemCount)
    itemCount += pageItems.length
    const next = linkOf(document.next, collection)
    yield { items: pageItems, total: total ?? totalOf(document), url, next }
    emptyPages = pageItems.length === 0 ? emptyPages + 1 : 0
    if (emptyPages > maxEmptyPages) return
    url = next
  }
  if (url !== null && !visited.has(url)) throw new FetchError('budget', `${collection} goes on`)
}

/**
 * Where the reading of a collection begins: the items in its document, null if there are none, and the URL of the page with more. Its first
 * page may be embedded, a URL, a Link, an object with an id, or a list with one of these; what stands beside it may be only a part.
 */
export function startOfCollection(document: JsonObject, collection: string): { items: unknown[] | null; next: string | null } {
  const items = itemsOf(document)
  const total = totalOf(document)
  const next = linkOf(document.next, collection)
  if (items.length > 0 && (next !== null || total === null || items.length >= total)) return { items, next }
  const page = formsOf(document.first).find(
    (first): first is JsonObject => isObject(first) && (hasItems(first) || first.next !== undefined)
  )
  if (page) return { items: itemsOf(page), next: linkOf(page.next, collection) }
  const first = linkOf(document.first, collection)
  if (first !== null) return { items: null, next: first }
  return { items: hasItems(document) ? items : null, next }
}

/** The items of a collection or a page; of two lists the one that is not empty. */
const itemsOf = (page: JsonObject) => [page.orderedItems, page.items].map(listOf).find(items => items.length > 0) ?? []
const hasItems = (page: JsonObject) => (page.orderedItems ?? page.items ?? null) !== null
const totalOf = ({ totalItems }: JsonObject) =>
  typeof totalItems === 'number' && Number.isSafeInteger(totalItems) && totalItems >= 0 ? Math.min(totalItems, 2 ** 31 - 1) : null

/** The first URL of a value in any form (URL, Link, object with an id, list of them) that has the origin of the collection, else null. */
function linkOf(value: unknown, collection: string): string | null {
  const urls = formsOf(value).map(form => httpUrl(isObject(form) ? (form.id ?? form.href) : form))
  return urls.find(url => url !== null && sameOrigin(url, collection)) ?? null
}
