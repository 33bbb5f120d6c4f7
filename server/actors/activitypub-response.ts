import type { Request, Response } from 'express'
import { config } from '../core/config.ts'
import { invalidParams } from '../core/problem.ts'
import { withContext } from '../fediverse/jsonld-context.ts'

/** The media type of what other servers read. */
export const ACTIVITYPUB_CONTENT_TYPE = 'application/activity+json; charset=utf-8'

/** A part of a collection, newest first: how many there are, and those from `start` on. */
export type CollectionQuery = (start: number, count: number) => Promise<{ total: number; items: unknown[] }>

/** Whether a request asks for the document of a machine rather than for a page. */
export function acceptsActivityPub(request: Request): boolean {
  const accept = request.headers.accept ?? ''
  return (
    /application\/(activity|ld)\+json/.test(accept) &&
    request.accepts(['text/html', 'application/activity+json', 'application/ld+json']) !== 'text/html'
  )
}

/** Answers with an ActivityPub document that anybody may read. */
export function sendActivityPubDocument(response: Response, document: object): void {
  response.setHeader('Content-Type', ACTIVITYPUB_CONTENT_TYPE)
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Vary', 'Accept')
  response.end(JSON.stringify(document))
}

/** Answers with an OrderedCollection, or the page of it that is asked for (ActivityPub 5). */
export async function sendOrderedCollection(request: Request, response: Response, id: string, part: CollectionQuery): Promise<void> {
  const { page } = request.query
  if (page === undefined) {
    const { total } = await part(0, 0)
    return sendActivityPubDocument(
      response,
      withContext('base', { id, type: 'OrderedCollection', totalItems: total, ...(total > 0 ? { first: `${id}?page=1` } : {}) })
    )
  }
  const number = typeof page === 'string' && /^[1-9]\d{0,5}$/.test(page) ? Number(page) : null
  if (number === null) throw invalidParams([{ type: 'field', value: page, msg: 'Invalid value', path: 'page', location: 'query' }])
  const size = config.federation.collections.page_size
  const { total, items } = await part((number - 1) * size, size)
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
const NOTHING: ActorCollection = () => async () => ({ total: 0, items: [] })
const registered = new Map<string, ActorCollection>()

/** Says what a collection of actors holds: `outbox`, `playlists`. */
export function registerActorCollection(name: 'outbox' | 'playlists', collection: ActorCollection): void {
  registered.set(name, collection)
}

/** A collection of an actor that a floor above fills; empty until one does. */
export function findActorCollection(name: string): ActorCollection {
  return registered.get(name) ?? NOTHING
}
