import { FetchBudget, FetchError, fetchRemoteDocument } from './remote-fetch.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { isObject, listOf, type JsonObject } from './vocabulary.ts'
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
  const { maxPages, maxItems, maxTime } = CRAWL
  const deadline = Date.now() + maxTime
  const visited = new Set<string>()
  const budget = new FetchBudget(maxPages + 2)
  let [total, itemCount, url]: [number | null, number, string | null] = [null, 0, from]
  if (url === null) {
    const { document } = await fetchRemoteDocument(collection, { budget })
    total = totalOf(document)
    const first = isObject(document.first) ? document.first : null
    if (first || 'orderedItems' in document || 'items' in document) {
      // Small collections embed their items.
      const page = first ?? document
      yield { items: itemsOf(page, maxItems), total, url: collection, next: nextOf(page, collection) }
      itemCount += itemsOf(page, maxItems).length
      url = nextOf(page, collection)
    } else url = sameOriginUrl(document.first, collection)
  }
  while (url !== null && visited.size < maxPages && itemCount < maxItems && Date.now() < deadline) {
    if (visited.has(url)) return
    visited.add(url)
    const { document } = await fetchRemoteDocument(url, { budget })
    const pageItems = itemsOf(document, maxItems - itemCount)
    itemCount += pageItems.length
    const next = nextOf(document, collection)
    yield { items: pageItems, total: total ?? totalOf(document), url, next }
    if (pageItems.length === 0) return
    url = next
  }
  if (url !== null && !visited.has(url)) throw new FetchError('budget', `${collection} goes on`)
}

const itemsOf = (page: JsonObject, max: number) => listOf(page.orderedItems ?? page.items).slice(0, max)
const nextOf = (page: JsonObject, collection: string) => sameOriginUrl(page.next, collection)
const totalOf = ({ totalItems }: JsonObject) =>
  typeof totalItems === 'number' && Number.isSafeInteger(totalItems) && totalItems >= 0 ? Math.min(totalItems, 2 ** 31 - 1) : null

/** The URL or id of a value if it has the origin of the collection, else null. */
function sameOriginUrl(value: unknown, collection: string): string | null {
  const url = httpUrl(isObject(value) ? value.id : value)
  return url && sameOrigin(url, collection) ? url : null
}
