import { createHash, generateKeyPair, sign, type KeyObject } from 'node:crypto'
import { Agent, createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'

type Json = { [key: string]: unknown }
type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** An actor of the scripted peer. */
export type HostileActor = {
  url: string
  keyId: string
  name: string
  inbox: string
  document: Json
  privateKey: KeyObject
  publicKeyPem: string
}

/** How a request is signed and sent; every part can be falsified. A header that is `undefined` is omitted. */
export type HostileRequestOptions = {
  /** The signer; the actor of the activity by default. Null: unsigned. */
  as?: HostileActor | null
  headers?: Record<string, string | undefined>
  date?: Date
  /** The headers that the signature covers. */
  covered?: string[]
  keyId?: string
  algorithm?: string
  /** The body; the activity as JSON by default. */
  body?: string | Uint8Array
}

/** A response; `json` is the parsed body if it is JSON. */
export type HostilePeerResponse = { status: number; headers: IncomingHttpHeaders; text: string; json: any }

/** A POST request to the scripted peer. */
export type ReceivedPost = { path: string; headers: IncomingHttpHeaders; raw: string; activity: any }

/** A scripted ActivityPub server with actors and keys that sends and serves anything, signed or not, on a free port of 127.0.0.1. */
export type HostilePeer = {
  url: string
  host: string
  /**
   * Creates an actor with an RSA-2048 key and serves its document, empty collections and WebFinger; `more` overrides fields of the
   * document.
   */
  actor(name: string, type?: string, more?: Json): Promise<HostileActor>
  /** Returns a new unique URL on this host. */
  id(kind?: string): string
  /** Posts an activity to an inbox, signed by its `actor` by default. */
  post(inbox: string, activity: Json, way?: HostileRequestOptions): Promise<HostilePeerResponse>
  /** Requests a document, signed if `as` is given. */
  get(url: string, way?: HostileRequestOptions): Promise<HostilePeerResponse>
  /** Serves a document or a handler at a path (with its query, if it has one). */
  serve(path: string, document: Json | RequestHandler): void
  /** Answers requests for a path with a status, such as 401, 404 or 410, instead of what it serves; null: serves it again. */
  refuse(path: string, status: number | null): void
  /** Sets the status of responses to POST requests to a path (default 202). */
  answer(path: string, status: number, headers?: Record<string, string>): void
  /** All POST requests, in order. */
  received: ReceivedPost[]
  /** The path and query of all other requests, in order. */
  asked: string[]
  stop(): Promise<void>
}

const generateKeys = promisify(generateKeyPair)
/** As small as test instances accept (`federation.min_key_bits`): a longer one takes twenty times as long to find. */
const KEY_BITS = 1024

/** Starts a scripted peer; to be stopped in afterAll. */
export async function startHostilePeer(): Promise<HostilePeer> {
  const served = new Map<string, Json | RequestHandler>()
  const refused = new Map<string, number>()
  const answers = new Map<string, { status: number; headers: Record<string, string> }>()
  const actors = new Map<string, HostileActor>()
  const received: ReceivedPost[] = []
  const asked: string[] = []
  const agent = new Agent({ keepAlive: true })
  const server = createServer((incoming, response) => {
    if (incoming.method === 'POST') return receivePost(incoming, response)
    asked.push(incoming.url!)
    const path = new URL(incoming.url!, 'http://peer').pathname
    const status = refused.get(path)
    if (status !== undefined) return writeJson(response, status, { error: 'refused' })
    const found = served.get(incoming.url!) ?? served.get(path)
    if (typeof found === 'function') return found(incoming, response)
    if (found) return writeJson(response, 200, found)
    if (path === '/.well-known/webfinger') return answerWebfinger(incoming, response)
    writeJson(response, 404, { error: 'not found' })
  })
  const receivePost = (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    incoming.on('data', chunk => chunks.push(chunk))
    incoming.on('end', () => {
      const raw = Buffer.concat(chunks).toString()
      received.push({ path: incoming.url!, headers: incoming.headers, raw, activity: parseJson(raw) })
      const { status, headers } = answers.get(incoming.url!) ?? { status: 202, headers: {} }
      response.writeHead(status, headers).end()
    })
  }
  const answerWebfinger = (incoming: IncomingMessage, response: ServerResponse) => {
    const resource = new URL(incoming.url!, 'http://peer').searchParams.get('resource') ?? ''
    const actor = actors.get(resource.replace(/^acct:/, '').split('@')[0]!)
    if (!actor) return writeJson(response, 404, {})
    writeJson(
      response,
      200,
      { subject: resource, aliases: [actor.url], links: [{ rel: 'self', type: 'application/activity+json', href: actor.url }] },
      'application/jrd+json'
    )
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `http://${host}`
  let count = 0

  const actor: HostilePeer['actor'] = async (name, type = 'Person', more = {}) => {
    const { publicKey, privateKey } = await generateKeys('rsa', { modulusLength: KEY_BITS })
    const address = `${url}/${type === 'Group' ? 'video-channels' : 'accounts'}/${name}`
    const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const document: Json = {
      '@context': ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/v1'],
      type,
      id: address,
      url: address,
      preferredUsername: name,
      name,
      inbox: `${address}/inbox`,
      outbox: `${address}/outbox`,
      followers: `${address}/followers`,
      following: `${address}/following`,
      endpoints: { sharedInbox: `${url}/inbox` },
      publicKey: { id: `${address}#main-key`, owner: address, publicKeyPem },
      published: '2026-01-01T00:00:00.000Z',
      ...more
    }
    for (const list of ['outbox', 'followers', 'following'])
      served.set(`${new URL(address).pathname}/${list}`, { type: 'OrderedCollection', id: `${address}/${list}`, totalItems: 0 })
    const created = { url: address, keyId: `${address}#main-key`, name, inbox: `${address}/inbox`, document, privateKey, publicKeyPem }
    served.set(new URL(address).pathname, document)
    actors.set(name, created)
    return created
  }

  const post: HostilePeer['post'] = async (inbox, activity, way = {}) => {
    const body = Buffer.from(way.body ?? JSON.stringify(activity))
    const signer = way.as === undefined ? [...actors.values()].find(one => one.url === activity.actor) : way.as
    const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`
    const headers = { digest, 'content-type': 'application/activity+json', 'content-length': String(body.length), ...way.headers }
    return await sendRequest('POST', inbox, headers, signer ?? null, way, ['(request-target)', 'host', 'date', 'digest'], body, agent)
  }
  const get: HostilePeer['get'] = async (address, way = {}) =>
    await sendRequest(
      'GET',
      address,
      { accept: 'application/activity+json', ...way.headers },
      way.as ?? null,
      way,
      ['(request-target)', 'host', 'date'],
      null,
      agent
    )

  return {
    url,
    host,
    actor,
    post,
    get,
    received,
    asked,
    id: (kind = 'activities') => `${url}/${kind}/${++count}`,
    serve: (path, document) => {
      refused.delete(path)
      served.set(path, document)
    },
    refuse: (path, status) => {
      if (status === null) refused.delete(path)
      else refused.set(path, status)
    },
    answer: (path, status, headers = {}) => {
      answers.set(path, { status, headers })
    },
    stop: async () => {
      agent.destroy()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    }
  }
}

/** Returns the Signature header of a request (draft-cavage-http-signatures-12). */
export function cavageSignatureHeader(
  method: string,
  target: URL,
  headers: Record<string, string>,
  signer: Pick<HostileActor, 'keyId' | 'privateKey'>,
  covered: string[],
  way: HostileRequestOptions = {}
): string {
  const lines = covered.map(name =>
    name === '(request-target)'
      ? `(request-target): ${method.toLowerCase()} ${target.pathname}${target.search}`
      : `${name}: ${headers[name]}`
  )
  const value = sign('sha256', Buffer.from(lines.join('\n')), signer.privateKey).toString('base64')
  return `keyId="${way.keyId ?? signer.keyId}",algorithm="${way.algorithm ?? 'rsa-sha256'}",headers="${covered.join(' ')}",signature="${value}"`
}

async function sendRequest(
  method: string,
  address: string,
  requestHeaders: Record<string, string | undefined>,
  signer: HostileActor | null,
  way: HostileRequestOptions,
  covered: string[],
  body: Buffer | null,
  agent: Agent
): Promise<HostilePeerResponse> {
  const target = new URL(address)
  const allHeaders: Record<string, string | undefined> = {
    host: target.host,
    date: (way.date ?? new Date()).toUTCString(),
    ...requestHeaders
  }
  const headers = Object.fromEntries(Object.entries(allHeaders).filter((entry): entry is [string, string] => entry[1] !== undefined))
  if (signer && !('signature' in headers))
    headers.signature = cavageSignatureHeader(method, target, headers, signer, way.covered ?? covered, way)
  return await new Promise((resolve, reject) => {
    const outgoing = request(target, { method, headers, agent }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode!, headers: response.headers, text, json: parseJson(text) })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function writeJson(response: ServerResponse, status: number, document: Json, type = 'application/activity+json'): void {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(document))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
