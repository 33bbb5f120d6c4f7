import type { Request, Response } from 'express'
import { invalidParams } from '../core/problem.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { COLLECTIONS } from './collection-internals.ts'

/** The Content-Type of ActivityPub documents. */
export const ACTIVITYPUB_CONTENT_TYPE = 'application/activity+json; charset=utf-8'

/** Reads a page of a collection, newest first: the total number and at most `count` items from `start` on. */
export type CollectionQuery = (start: number, count: number) => Promise<{ total: number; items: unknown[] }>

/**
 * Whether a request prefers an ActivityPub document over an HTML page, by its Accept header (RFC 9110 §12.5.1). Whatever the parameters of
 * a media type: `application/ld+json` comes with a profile (ActivityPub §3.2).
 */
export function acceptsActivityPub(request: Request): boolean {
  const types = acceptedTypes(request.headers.accept ?? '')
  const document = types.findIndex(type => type === 'application/activity+json' || type === 'application/ld+json')
  const page = types.findIndex(type => type === 'text/html' || type === 'application/xhtml+xml')
  return document !== -1 && (page === -1 || document < page)
}

/** Returns the media types of an Accept header in lower case without their parameters, those of the greatest weight first. */
function acceptedTypes(header: string): string[] {
  const ranges = header
    .toLowerCase()
    .replaceAll(/"[^"]*"/g, '""')
    .split(',')
    .map(range => {
      const [type, ...parameters] = range.split(';').map(part => part.trim())
      const weight = parameters.find(parameter => parameter.startsWith('q='))
      return { type: type!, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 }
    })
  return ranges
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight)
    .map(({ type }) => type)
}

/** Responds with a public ActivityPub document. */
export function sendActivityPubDocument(response: Response, document: object): void {
  response.setHeader('Content-Type', ACTIVITYPUB_CONTENT_TYPE)
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Vary', 'Accept')
  response.end(JSON.stringify(document))
}

/** Responds with an OrderedCollection, or the page that `?page` requests (ActivityPub §5). Throws 400 for an invalid page. */
export async function sendOrderedCollection(request: Request, response: Response, id: string, readItems: CollectionQuery): Promise<void> {
  const { page } = request.query
  if (page === undefined) {
    const { total } = await readItems(0, 0)
    return sendActivityPubDocument(
      response,
      withContext('base', { id, type: 'OrderedCollection', totalItems: total, ...(total > 0 ? { first: `${id}?page=1` } : {}) })
    )
  }
  const number = typeof page === 'string' && /^[1-9]\d{0,5}$/.test(page) ? Number(page) : null
  if (number === null) throw invalidParams([{ type: 'field', value: page, msg: 'Invalid value', path: 'page', location: 'query' }])
  const size = COLLECTIONS.pageSize
  const { total, items } = await readItems((number - 1) * size, size)
  sendActivityPubDocument(
    response,
    withContext('base', {
      id: `${id}?page=${number}`,
      type: 'OrderedCollectionPage',
      ...(number > 1 ? { prev: `${id}?page=${number - 1}` } : {}),
      ...(number * size < total ? { next: `${id}?page=${number + 1}` } : {}),
      partOf: id,
      orderedItems: items,
      totalItems: total
    })
  )
}

type ActorCollection = (actor: { id: number; url: string; type: string }) => CollectionQuery
const EMPTY_COLLECTION: ActorCollection = () => async () => ({ total: 0, items: [] })
const collections = new Map<string, ActorCollection>()

/** Registers the content of the collection `outbox` or `playlists` of actors. */
export function registerActorCollection(name: 'outbox' | 'playlists', collection: ActorCollection): void {
  collections.set(name, collection)
}

/** Returns the collection that a higher layer registered under this name; an empty one otherwise. */
export function findActorCollection(name: string): ActorCollection {
  return collections.get(name) ?? EMPTY_COLLECTION
}
