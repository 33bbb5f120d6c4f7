import { config } from '../core/config.ts'
import { Budget, FetchError, fetchRemoteDocument } from './remote-fetch.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { isObject, listOf, type JsonObject } from './vocabulary.ts'

/** A page of a remote collection: its entries, what the collection says it holds, where it goes on. */
export type CollectionPage = { items: unknown[]; total: number | null; url: string; next: string | null }

/**
 * The pages of a remote collection, one after the other, all of its own origin, none twice, within `federation.crawl.*`
 * (docs/federation.md#collections). `from` begins at a page known from before. Throws FetchError.
 */
export async function* fetchCollectionPages(
  collection: string,
  { from = null }: { from?: string | null } = {}
): AsyncGenerator<CollectionPage> {
  const { max_pages, max_items, max_time } = config.federation.crawl
  const until = Date.now() + max_time
  const visited = new Set<string>()
  const budget = new Budget(max_pages + 2)
  let [total, items, url]: [number | null, number, string | null] = [null, 0, from]
  if (url === null) {
    const { document } = await fetchRemoteDocument(collection, { budget })
    total = totalOf(document)
    const first = isObject(document.first) ? document.first : null
    if (first || 'orderedItems' in document || 'items' in document) {
      // Small collections carry their entries with them.
      const page = first ?? document
      yield { items: entries(page, max_items), total, url: collection, next: nextOf(page, collection) }
      items += entries(page, max_items).length
      url = nextOf(page, collection)
    } else url = own(document.first, collection)
  }
  while (url !== null && visited.size < max_pages && items < max_items && Date.now() < until) {
    if (visited.has(url)) return
    visited.add(url)
    const { document } = await fetchRemoteDocument(url, { budget })
    const found = entries(document, max_items - items)
    items += found.length
    const next = nextOf(document, collection)
    yield { items: found, total: total ?? totalOf(document), url, next }
    if (found.length === 0) return
    url = next
  }
  if (url !== null && !visited.has(url)) throw new FetchError('budget', `${collection} goes on`)
}

const entries = (page: JsonObject, max: number) => listOf(page.orderedItems ?? page.items).slice(0, max)
const nextOf = (page: JsonObject, collection: string) => own(page.next, collection)
const totalOf = ({ totalItems }: JsonObject) =>
  typeof totalItems === 'number' && Number.isSafeInteger(totalItems) && totalItems >= 0 ? Math.min(totalItems, 2 ** 31 - 1) : null

/** An address of the collection's own origin, whoever's it is otherwise. */
function own(value: unknown, collection: string): string | null {
  const url = httpUrl(isObject(value) ? value.id : value)
  return url && sameOrigin(url, collection) ? url : null
}
