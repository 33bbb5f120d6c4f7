import { webcrypto } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createFederation,
  generateCryptoKeyPair,
  MemoryKvStore,
  signJsonLd,
  signObject,
  type Context,
  type Federation
} from '@fedify/fedify'
import {
  Accept,
  Activity,
  Announce,
  Create,
  Endpoints,
  Follow,
  Group,
  Note,
  Person,
  Undo,
  Update,
  type Object as VocabularyObject
} from '@fedify/vocab'

/** The signature scheme of a request to the peer. */
export type FedifySignatureScheme = 'cavage' | 'rfc9421' | 'none'
/** An activity that Fedify verified and passed to an inbox listener; `document` is its JSON-LD. */
export type FedifyReceivedActivity = {
  type: string
  id: string
  actor: string
  object: string
  scheme: FedifySignatureScheme
  document: any
}

/** A Fedify server with a Person `alice` and a Group `club`, on loopback. */
export type FedifyPeer = {
  url: string
  host: string
  /** The activities received by the inbox listeners, in order; Fedify verified their signatures. */
  heard: FedifyReceivedActivity[]
  /** The requests to its inboxes that were answered with 4xx or 5xx. */
  refused: { path: string; scheme: FedifySignatureScheme; status: number }[]
  /** The only accepted signature scheme: others get 401 before verification; null: any. */
  wants: Exclude<FedifySignatureScheme, 'none'> | null
  /** Returns the URL of one of its actors. */
  actor(name: ActorName): string
  /** Looks up an object with Fedify, with a request signed by alice. */
  lookup(url: string): Promise<VocabularyObject | null>
  /** Sends a Follow of an actor and returns its id. */
  follow(name: ActorName, target: string): Promise<string>
  /** Sends a Create of a public note by alice in reply to an object and returns the id of the note. */
  note(content: string, inReplyTo: string, to: string): Promise<string>
  /** Returns a Create of a note by alice with a Data Integrity proof and an LD signature. */
  signed(content: string): Promise<unknown>
  stop(): Promise<void>
}
type ActorName = (typeof ACTOR_NAMES)[number]

const ACTOR_NAMES = ['alice', 'club'] as const
const RSA = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }
const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'

/** Starts a Fedify peer; `first` is the signature scheme that it tries first. */
export async function startFedifyPeer(first: Exclude<FedifySignatureScheme, 'none'>): Promise<FedifyPeer> {
  const federation = createFederation<FedifySignatureScheme>({
    kv: new MemoryKvStore(),
    allowPrivateAddress: true,
    firstKnock: first === 'rfc9421' ? 'rfc9421' : 'draft-cavage-http-signatures-12'
  })
  const keys = new Map<ActorName, CryptoKeyPair[]>(
    await Promise.all(
      ACTOR_NAMES.map(async (name): Promise<[ActorName, CryptoKeyPair[]]> => [
        name,
        [(await webcrypto.subtle.generateKey(RSA, true, ['sign', 'verify'])) as CryptoKeyPair, await generateCryptoKeyPair('Ed25519')]
      ])
    )
  )
  const notes = new Map<string, Note>()
  const heard: FedifyReceivedActivity[] = []
  const refused: FedifyPeer['refused'] = []
  const isActorName = (name: string): name is ActorName => ACTOR_NAMES.includes(name as ActorName)

  federation
    .setActorDispatcher('/users/{identifier}', async (context, name) => {
      if (!isActorName(name)) return null
      const pairs = await context.getActorKeyPairs(name)
      const { cryptographicKey: publicKey } = pairs[0]!
      const fields = {
        id: context.getActorUri(name),
        preferredUsername: name,
        name: `The ${name}`,
        inbox: context.getInboxUri(name),
        outbox: context.getOutboxUri(name),
        followers: context.getFollowersUri(name),
        url: context.getActorUri(name),
        endpoints: new Endpoints({ sharedInbox: context.getInboxUri() }),
        publicKey,
        assertionMethods: pairs.map(pair => pair.multikey)
      }
      return name === 'club' ? new Group({ ...fields, attribution: context.getActorUri('alice') }) : new Person(fields)
    })
    .setKeyPairsDispatcher((_context, name) => (isActorName(name) ? keys.get(name)! : []))
  federation.setOutboxDispatcher('/users/{identifier}/outbox', () => ({ items: [] }))
  federation.setFollowersDispatcher('/users/{identifier}/followers', () => ({ items: [] }))
  federation.setObjectDispatcher(Note, '/notes/{id}', (_context, { id }) => notes.get(id!) ?? null)

  const recordActivity = async (context: Context<FedifySignatureScheme>, activity: Activity) => {
    const document = (await activity.toJsonLd()) as { type: string }
    heard.push({
      type: document.type,
      id: String(activity.id),
      actor: String(activity.actorId),
      object: String(activity.objectId),
      scheme: context.data,
      document
    })
  }
  federation
    .setInboxListeners('/users/{identifier}/inbox', '/inbox')
    .setSharedKeyDispatcher(() => ({ identifier: 'alice' }))
    .on(Follow, async (context, follow) => {
      await recordActivity(context, follow)
      const target = context.parseUri(follow.objectId)
      const follower = await follow.getActor(context)
      if (target?.type !== 'actor' || !follower) return
      await context.sendActivity(
        { identifier: target.identifier },
        follower,
        new Accept({ id: new URL(`/accepts/${heard.length}`, context.origin), actor: follow.objectId, object: follow })
      )
    })
    .on(Accept, recordActivity)
    .on(Undo, recordActivity)
    .on(Create, recordActivity)
    .on(Update, recordActivity)
    .on(Announce, recordActivity)

  const acceptedScheme = { wants: null as FedifyPeer['wants'] }
  const server = createServer((incoming, response) => {
    const scheme = schemeOf(incoming)
    const recordRefusal = (status: number) => {
      refused.push({ path: incoming.url!, scheme, status })
    }
    if (acceptedScheme.wants && scheme !== 'none' && scheme !== acceptedScheme.wants) {
      recordRefusal(401)
      response.writeHead(401).end()
      return
    }
    respondWithFedify(federation, incoming, response, scheme).then(
      status => {
        if (status >= 400 && incoming.method === 'POST') recordRefusal(status)
      },
      () => response.destroy()
    )
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const url = `http://${host}`
  const context = federation.createContext(new URL(url), 'none')
  let count = 0

  const lookup: FedifyPeer['lookup'] = async target =>
    await context.lookupObject(target, { documentLoader: await context.getDocumentLoader({ identifier: 'alice' }) })
  const deliver = async (name: ActorName, target: string, activity: Activity) => {
    const recipient = await lookup(target)
    if (!recipient || !('inboxId' in recipient)) throw new Error(`${target} is no actor`)
    await context.sendActivity({ identifier: name }, recipient as never, activity)
  }
  return Object.assign(acceptedScheme, {
    url,
    host,
    heard,
    refused,
    lookup,
    actor: (name: ActorName) => context.getActorUri(name).href,
    follow: async (name: ActorName, target: string) => {
      const id = new URL(`/follows/${++count}`, url)
      await deliver(name, target, new Follow({ id, actor: context.getActorUri(name), object: new URL(target) }))
      return id.href
    },
    note: async (content: string, inReplyTo: string, to: string) => {
      const number = String(++count)
      const id = context.getObjectUri(Note, { id: number })
      const author = context.getActorUri('alice').href
      const note = await Note.fromJsonLd(
        {
          '@context': 'https://www.w3.org/ns/activitystreams',
          type: 'Note',
          id: id.href,
          url: id.href,
          attributedTo: author,
          content,
          inReplyTo,
          to: PUBLIC,
          cc: [to],
          published: new Date().toISOString(),
          tag: [{ type: 'Mention', href: to, name: '@owner' }]
        },
        context
      )
      notes.set(number, note)
      await deliver(
        'alice',
        to,
        new Create({
          id: new URL(`${id.href}#create`),
          actor: context.getActorUri('alice'),
          object: note,
          tos: note.toIds,
          ccs: note.ccIds
        })
      )
      return id.href
    },
    signed: async (content: string) => {
      const [rsa, edwards] = await context.getActorKeyPairs('alice')
      const author = context.getActorUri('alice')
      const activity = new Create({
        id: new URL(`/creates/${++count}`, url),
        actor: author,
        object: new Note({ id: context.getObjectUri(Note, { id: String(count) }), attribution: author, content })
      })
      const proven = await signObject(activity, edwards!.privateKey, edwards!.keyId, context)
      return await signJsonLd(await proven.toJsonLd(context), rsa!.privateKey, rsa!.keyId, context)
    },
    stop: async () => await closeServer(server)
  })
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
}

function schemeOf({ headers }: IncomingMessage): FedifySignatureScheme {
  return headers['signature-input'] !== undefined ? 'rfc9421' : headers.signature !== undefined ? 'cavage' : 'none'
}

/** Answers a request of node:http with Fedify; returns the status. */
async function respondWithFedify(
  federation: Federation<FedifySignatureScheme>,
  incoming: IncomingMessage,
  response: ServerResponse,
  contextData: FedifySignatureScheme
): Promise<number> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  const headers = Object.entries(incoming.headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one])
  )
  const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method!,
    headers,
    ...(incoming.method === 'POST' ? { body: Buffer.concat(chunks) } : {})
  })
  const fedifyResponse = await federation.fetch(request, { contextData, onNotFound: () => new Response(null, { status: 404 }) })
  response.writeHead(fedifyResponse.status, Object.fromEntries(fedifyResponse.headers)).end(Buffer.from(await fedifyResponse.arrayBuffer()))
  return fedifyResponse.status
}
