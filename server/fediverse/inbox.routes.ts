import { Router, type Request, type RequestHandler } from 'express'
import { config, instanceOrigin } from '../core/config.ts'
import { databaseProblem } from '../core/database-errors.ts'
import { notFound, Problem } from '../core/problem.ts'
import { bodyTimeoutProblem } from '../core/parse-body.ts'
import { keyring } from './keyring.ts'
import { isTransientError } from './transient-errors.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { headersAsSent } from './rewritten-host.ts'
import { acceptDelivery, admitDelivery } from './accept-delivery.ts'
import { INBOX } from './inbox-internals.ts'

/** Accepted media types; PeerTube accepts the last one as well. */
const ACTIVITY_TYPES = ['application/activity+json', 'application/ld+json', 'application/json']

const handleInboxPost: RequestHandler = async (request, response) => {
  if (!config.federation.enabled) throw notFound('Inbox')
  if (request.headers['content-encoding'] !== undefined) throw new Problem(415, null, 'A body must not be compressed.')
  if (!request.is(ACTIVITY_TYPES)) throw new Problem(415, null, `The content type must be ${ACTIVITY_TYPES[0]}.`)
  try {
    const headers = headersAsSent(request)
    await admitDelivery(headers, request.ip ?? '')
    await acceptDelivery({ path: request.originalUrl, headers, body: await readBody(request) })
  } catch (error) {
    if (databaseProblem(error) ?? isTransientError(error))
      throw new Problem(503, null, 'This instance cannot store anything now.', {
        headers: { 'Retry-After': String(Math.ceil(INBOX.checkInterval / 1000)) }
      })
    if (!(error instanceof RejectedRequestError)) throw error
    const { status, message, retryAfter } = error
    throw new Problem(
      status,
      status === 429 ? 'too_many_requests' : null,
      message,
      retryAfter === undefined ? {} : { headers: { 'Retry-After': String(Math.ceil(retryAfter / 1000)) } }
    )
  }
  response.status(202).end()
}

/** Answers 404 for the inbox of an unknown actor. */
const requireLocalActor: RequestHandler = async (request, _response, next) => {
  const actor = instanceOrigin() + request.path.replace(/\/inbox\/?$/, '')
  await keyring.signer(actor).catch((error: unknown) => {
    // A sender gives up an inbox that does not exist.
    throw databaseProblem(error) ?? notFound('Inbox')
  })
  next()
}

/** Routes of the inboxes: POST /inbox, and the inbox of each account and channel. */
export const inboxRouter = Router()
inboxRouter.post('/inbox', handleInboxPost)
inboxRouter.post(['/accounts/:name/inbox', '/video-channels/:name/inbox'], requireLocalActor, handleInboxPost)

/** Reads the body as received. Throws Problem 413 or 408 beyond `INBOX.maxBody` bytes or `http.body_timeout`. */
async function readBody(request: Request): Promise<Buffer> {
  const { maxBody } = INBOX
  const tooLarge = () => new Problem(413, null, `The body must not be larger than ${maxBody} bytes.`, { headers: { Connection: 'close' } })
  if (Number(request.headers['content-length'] ?? 0) > maxBody) throw tooLarge()
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      // It may have left while the sender was looked up.
      if (request.destroyed) return reject(new Problem(400, null, 'The body ended too early.'))
      const chunks: Buffer[] = []
      let size = 0
      timer = setTimeout(() => reject(bodyTimeoutProblem()), config.http.body_timeout)
      request.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxBody) reject(tooLarge())
        else chunks.push(chunk)
      })
      request.on('end', () => resolve(Buffer.concat(chunks)))
      request.on('error', () => reject(new Problem(400, null, 'The body ended too early.')))
      request.on('close', () => {
        if (!request.complete) reject(new Problem(400, null, 'The body ended too early.'))
      })
    })
  } finally {
    clearTimeout(timer)
  }
}
