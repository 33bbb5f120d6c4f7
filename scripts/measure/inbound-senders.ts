import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'

/**
 * Four simulated servers with ten actors each, in one process. On { kind, count, video } it signs that many activities and sends { signed
 * }; on 'go' it posts them all and sends { seconds, refused }.
 */
const [target] = process.argv.slice(2) as [string]
const HOSTS = 4
const ACTORS = 10
const CONNECTIONS = 64

type Actor = { url: string; privateKey: KeyObject }
type SignedRequest = { body: Buffer; headers: Record<string, string> }
const actors: Actor[] = []
for (let host = 0; host < HOSTS; host++) await startHost()

const pool = new Pool(target, { connections: CONNECTIONS })
let requests: SignedRequest[] = []
let activityCount = 0

process.on('message', (message: 'go' | { kind: 'notes' | 'views'; count: number; video: string }) => {
  if (message === 'go') return void postAll()
  requests = [...Array(message.count)].map(() =>
    signRequest(message.kind === 'notes' ? createNote(message.video) : createView(message.video))
  )
  process.send!({ signed: requests.length })
})
process.on('disconnect', () => process.exit(0))
process.send!({ ready: true })

async function postAll(): Promise<void> {
  const began = performance.now()
  let refused = 0
  const send = async () => {
    for (let request = requests.pop(); request; request = requests.pop()) {
      const { statusCode, body } = await pool.request({ method: 'POST', path: '/inbox', headers: request.headers, body: request.body })
      await body.dump()
      if (statusCode !== 202) refused++
    }
  }
  await Promise.all([...Array(CONNECTIONS)].map(send))
  process.send!({ seconds: (performance.now() - began) / 1000, refused })
}

function createNote(video: string): { actor: Actor; activity: object } {
  const actor = actors[activityCount % actors.length]!
  const id = `${actor.url}/notes/${++activityCount}`
  const to = ['https://www.w3.org/ns/activitystreams#Public']
  return {
    actor,
    activity: {
      '@context': 'https://www.w3.org/ns/activitystreams',
      type: 'Create',
      id: `${id}/activity`,
      actor: actor.url,
      to,
      cc: [],
      object: {
        type: 'Note',
        id,
        url: id,
        attributedTo: actor.url,
        content: `<p>The ${activityCount}th word about it</p>`,
        inReplyTo: video,
        published: new Date().toISOString(),
        to,
        cc: []
      }
    }
  }
}

function createView(video: string): { actor: Actor; activity: object } {
  const actor = actors[activityCount % actors.length]!
  return {
    actor,
    activity: {
      '@context': 'https://www.w3.org/ns/activitystreams',
      type: 'View',
      id: `${actor.url}/views/${++activityCount}`,
      actor: actor.url,
      object: video,
      to: ['https://www.w3.org/ns/activitystreams#Public']
    }
  }
}

function signRequest({ actor, activity }: { actor: Actor; activity: object }): SignedRequest {
  const body = Buffer.from(JSON.stringify(activity))
  const digest = `SHA-256=${createHash('sha256').update(body).digest('base64')}`
  const { host } = new URL(target)
  const date = new Date().toUTCString()
  const signingString = `(request-target): post /inbox\nhost: ${host}\ndate: ${date}\ndigest: ${digest}`
  const signature = `keyId="${actor.url}#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="${sign('sha256', Buffer.from(signingString), actor.privateKey).toString('base64')}"`
  return { body, headers: { host, date, digest, signature, 'content-type': 'application/activity+json' } }
}

async function startHost(): Promise<void> {
  const documents = new Map<string, object>()
  const server = createServer((request, response) => {
    const document = documents.get(request.url!)
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/activity+json' }).end(JSON.stringify(document ?? {}))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (let index = 0; index < ACTORS; index++) {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const url = `${origin}/accounts/person${index}`
    documents.set(new URL(url).pathname, {
      '@context': ['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/v1'],
      type: 'Person',
      id: url,
      url,
      preferredUsername: `person${index}`,
      name: `Person ${index}`,
      inbox: `${url}/inbox`,
      outbox: `${url}/outbox`,
      followers: `${url}/followers`,
      following: `${url}/following`,
      endpoints: { sharedInbox: `${origin}/inbox` },
      publicKey: { id: `${url}#main-key`, owner: url, publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() }
    })
    for (const list of ['outbox', 'followers', 'following'])
      documents.set(`/accounts/person${index}/${list}`, { type: 'OrderedCollection', id: `${url}/${list}`, totalItems: 0 })
    actors.push({ url, privateKey })
  }
}
