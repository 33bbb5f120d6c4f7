import { createHash, generateKeyPair, sign, type KeyObject } from 'node:crypto'
import { Agent, createServer, request, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'

type Json = { [key: string]: unknown }
type Handler = (request: IncomingMessage, response: ServerResponse) => void

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

/** How a request is made, each part to be spoilt at will; a header that is `undefined` is left out. */
export type HostileRequestOptions = {
  /** Who signs; the actor of the activity otherwise. Null: nobody. */
  as?: HostileActor | null
  headers?: Record<string, string | undefined>
  date?: Date
  /** What the signature covers. */
  covered?: string[]
  keyId?: string
  algorithm?: string
  /** The bytes sent; the activity as JSON otherwise. */
  body?: string | Uint8Array
}

/** An answer, parsed where it is JSON. */
export type HostilePeerResponse = { status: number; headers: IncomingHttpHeaders; text: string; json: any }

/** What was posted to the scripted peer. */
export type ReceivedPost = { path: string; headers: IncomingHttpHeaders; raw: string; activity: any }

/** A server with actors and keys that says whatever it is told to, signed or not. Its host is 127.0.0.1 with a port of its own. */
export type HostilePeer = {
  url: string
  host: string
  /**
   * Makes an actor with an RSA-2048 key and serves it, its empty collections and its webfinger; `more` overrides fields of its document.
   */
  actor(name: string, type?: string, more?: Json): Promise<HostileActor>
  /** A fresh address on this host. */
  id(kind?: string): string
  /** Posts an activity (its `actor` signs) to an inbox. */
  post(inbox: string, activity: Json, way?: HostileRequestOptions): Promise<HostilePeerResponse>
  /** Asks for a document, signed where `as` is given. */
  get(url: string, way?: HostileRequestOptions): Promise<HostilePeerResponse>
  /** Serves a document, or what a handler writes, at a path (with its query, if it has one). */
  serve(path: string, document: Json | Handler): void
  /** Answers POSTs to a path with a status from now on (202 otherwise). */
  answer(path: string, status: number, headers?: Record<string, string>): void
  /** Everything posted here, in order. */
  received: ReceivedPost[]
  /** Every address asked for here, in order. */
  asked: string[]
  stop(): Promise<void>
}

const makeKeys = promisify(generateKeyPair)

/** Opens a scripted peer; stop it in afterAll. */
export async function startHostilePeer(): Promise<HostilePeer> {
  const served = new Map<string, Json | Handler>()
  const answers = new Map<string, { status: number; headers: Record<string, string> }>()
  const actors = new Map<string, HostileActor>()
  const received: ReceivedPost[] = []
  const asked: string[] = []
  const agent = new Agent({ keepAlive: true })
  const server = createServer((incoming, response) => {
    if (incoming.method === 'POST') return takePost(incoming, response)
    asked.push(incoming.url!)
    const path = new URL(incoming.url!, 'http://peer').pathname
    const found = served.get(incoming.url!) ?? served.get(path)
    if (typeof found === 'function') return found(incoming, response)
    if (found) return write(response, 200, found)
    if (path === '/.well-known/webfinger') return answerWebfinger(incoming, response)
    write(response, 404, { error: 'not found' })
  })
  const takePost = (incoming: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    incoming.on('data', chunk => chunks.push(chunk))
    incoming.on('end', () => {
      const raw = Buffer.concat(chunks).toString()
      received.push({ path: incoming.url!, headers: incoming.headers, raw, activity: parsed(raw) })
      const { status, headers } = answers.get(incoming.url!) ?? { status: 202, headers: {} }
      response.writeHead(status, headers).end()
    })
  }
  const answerWebfinger = (incoming: IncomingMessage, response: ServerResponse) => {
    const resource = new URL(incoming.url!, 'http://peer').searchParams.get('resource') ?? ''
    const actor = actors.get(resource.replace(/^acct:/, '').split('@')[0]!)
    if (!actor) return write(response, 404, {})
    write(
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
    const { publicKey, privateKey } = await makeKeys('rsa', { modulusLength: 2048 })
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
    const made = { url: address, keyId: `${address}#main-key`, name, inbox: `${address}/inbox`, document, privateKey, publicKeyPem }
    served.set(new URL(address).pathname, document)
    actors.set(name, made)
    return made
  }

  const post: HostilePeer['post'] = async (inbox, activity, way = {}) => {
    const body = Buffer.from(way.body ?? JSON.stringify(activity))
    const signer = way.as === undefined ? [...actors.values()].find(one => one.url === activity.actor) : way.as
    const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`
    const headers = { digest, 'content-type': 'application/activity+json', 'content-length': String(body.length), ...way.headers }
    return await exchange('POST', inbox, headers, signer ?? null, way, ['(request-target)', 'host', 'date', 'digest'], body, agent)
  }
  const get: HostilePeer['get'] = async (address, way = {}) =>
    await exchange(
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
      served.set(path, document)
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

/** The headers of a request signed after draft-cavage-12. */
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

async function exchange(
  method: string,
  address: string,
  given: Record<string, string | undefined>,
  signer: HostileActor | null,
  way: HostileRequestOptions,
  covered: string[],
  body: Buffer | null,
  agent: Agent
): Promise<HostilePeerResponse> {
  const target = new URL(address)
  const all: Record<string, string | undefined> = { host: target.host, date: (way.date ?? new Date()).toUTCString(), ...given }
  const headers = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined))
  if (signer && !('signature' in headers))
    headers.signature = cavageSignatureHeader(method, target, headers, signer, way.covered ?? covered, way)
  return await new Promise((resolve, reject) => {
    const outgoing = request(target, { method, headers, agent }, response => {
      const chunks: Buffer[] = []
      response.on('data', chunk => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode!, headers: response.headers, text, json: parsed(text) })
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function write(response: ServerResponse, status: number, document: Json, type = 'application/activity+json'): void {
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(document))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
