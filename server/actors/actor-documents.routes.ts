import { Router, type Request, type RequestHandler } from 'express'
import { config, instanceHost } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { notFound } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { serializeActorDocument, findLocalActor, type LocalActorRow } from './actor-serializer.codec.ts'
import {
  findActorCollection,
  sendOrderedCollection,
  sendActivityPubDocument,
  acceptsActivityPub,
  type CollectionQuery
} from './activitypub-response.ts'

/** ActivityPub documents and collections of accounts and channels. Requests for an HTML page pass on. */
export const actorDocumentsRouter = Router()

const KIND_BY_PATH = { '/accounts': 'account', '/a': 'account', '/video-channels': 'channel', '/c': 'channel' } as const

for (const [path, kind] of Object.entries(KIND_BY_PATH)) {
  actorDocumentsRouter.get(
    `${path}/:name`,
    documentHandlers(async (request, response) => {
      sendActivityPubDocument(response, serializeActorDocument(await findRequestedActor(kind, request)))
    })
  )
}
for (const [path, kind] of [
  ['/accounts', 'account'],
  ['/video-channels', 'channel']
] as const) {
  for (const name of ['followers', 'following'] as const)
    actorDocumentsRouter.get(
      `${path}/:name/${name}`,
      documentHandlers(async (request, response) => {
        const actor = await findRequestedActor(kind, request)
        await sendOrderedCollection(request, response, `${actor.url}/${name}`, followsOf(actor, name))
      }, true)
    )
  for (const name of ['outbox', 'playlists'] as const)
    actorDocumentsRouter.get(
      `${path}/:name/${name}`,
      documentHandlers(async (request, response) => {
        const actor = await findRequestedActor(kind, request)
        await sendOrderedCollection(request, response, `${actor.url}/${name}`, findActorCollection(name)(actor))
      }, true)
    )
}

type DocumentHandler = (request: Request, response: Parameters<RequestHandler>[1]) => Promise<void>

/** Handles requests for ActivityPub documents only; with `always` every request, as there is no page at this path. */
function documentHandlers(handler: DocumentHandler, always = false): RequestHandler[] {
  const limit = limitRate('activity_pub')
  const isDocumentRequest = (request: Request) => config.federation.enabled && (always || acceptsActivityPub(request))
  return [
    async (request, response, next) => {
      if (isDocumentRequest(request)) await limit(request, response, next)
      else next()
    },
    async (request, response, next) => {
      if (isDocumentRequest(request)) await handler(request, response)
      else next()
    }
  ]
}

async function findRequestedActor(kind: 'account' | 'channel', request: Request): Promise<LocalActorRow> {
  const [name, host] = String(request.params.name).split('@')
  const actor =
    host === undefined || host.toLowerCase() === instanceHost().toLowerCase() ? await findLocalActor({ kind, name: name! }) : null
  if (!actor) throw notFound(kind === 'account' ? 'Account' : 'Video channel')
  return actor
}

function followsOf(actor: LocalActorRow, name: 'followers' | 'following'): CollectionQuery {
  const [ownColumn, otherColumn] = name === 'followers' ? [sql`target_id`, sql`actor_id`] : [sql`actor_id`, sql`target_id`]
  return async (start, count) => {
    const [row] = await runQuery<{ total: number }>(
      sql`SELECT count(*)::int AS total FROM follows WHERE ${ownColumn} = ${actor.id} AND state = 'accepted'`
    )
    const rows = await runQuery<{ url: string }>(sql`
      SELECT actors.url FROM follows JOIN actors ON actors.id = ${otherColumn}
      WHERE ${ownColumn} = ${actor.id} AND state = 'accepted' ORDER BY follows.id DESC LIMIT ${count} OFFSET ${start}`)
    return { total: row!.total, items: rows.map(({ url }) => url) }
  }
}
