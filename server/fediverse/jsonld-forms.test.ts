import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let token: string
let peer: HostilePeer
let jose: HostileActor
let stranger: HostileActor

beforeAll(async () => {
  site = await startTestInstance()
  ;({ token } = await site.user('viewer'))
  peer = await startHostilePeer()
  stranger = await peer.actor('stranger')
  jose = await peer.actor('jose')
  // Everything in the forms of JSON-LD that mean the same.
  const { publicKey } = jose.document
  Object.assign(jose.document, {
    type: ['https://schema.org/Person', 'Person'],
    preferredUsername: 'jose\u0301',
    name: undefined,
    nameMap: { es: 'Jos\u00e9' },
    summary: { '@value': 'Hola', '@language': 'es' },
    url: [{ type: 'Link', mediaType: 'text/html', href: jose.url }],
    publicKey: [{ ...(stranger.document.publicKey as object) }, publicKey],
    icon: [{ type: 'Image', url: [{ type: 'Link', href: `${peer.url}/jose.png`, mediaType: 'image/png' }] }]
  })
}, 60_000)
afterAll(async () => {
  await peer?.stop()
  await site?.stop()
})

const send = async (activity: { [key: string]: unknown }) =>
  await peer.post(`${site.url}/inbox`, { id: peer.id(), actor: jose.url, to: [PUBLIC], ...activity })
const isProcessed = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')

it('an actor with lists of types and keys, a name of any script, languages and an icon without sizes', async () => {
  expect((await send({ type: ['Follow', 'x:Wish'], object: `${site.url}/accounts/peertube` })).status).toBe(202)
  await eventually(async () => peer.received.some(({ activity }) => activity.type === 'Accept'), 20, 'the Accept')
  const handle = encodeURIComponent(`jos\u00e9@${peer.host}`)
  expect((await site.call(`GET /accounts/${handle}`)).json).toMatchObject({
    name: 'jos\u00e9',
    displayName: 'Jos\u00e9',
    description: 'Hola',
    avatars: [{ fileUrl: expect.any(String) }]
  })
})

it('a video and its activity with lists of types', async () => {
  const channel = await peer.actor('films', 'Group', { type: ['Group'], attributedTo: jose.url })
  const id = `${peer.url}/videos/watch/${randomUUID()}`
  const object = {
    type: ['x:VideoObject', 'Video'],
    id,
    nameMap: { es: 'Una película' },
    url: [`${id}.html`, { type: ['Link'], mediaType: 'video/mp4', href: `${id}.mp4` }],
    attributedTo: [
      { type: ['Person'], id: jose.url },
      { type: ['Group'], id: channel.url }
    ],
    to: PUBLIC
  }
  peer.serve(new URL(id).pathname, object)
  await send({ type: ['Create'], object: [object] })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${id}`)).length > 0, 20, 'the video')
  const { json } = await site.call(`GET /search/videos?search=${encodeURIComponent(id)}`, { token })
  expect(json.data).toMatchObject([{ name: 'Una película', channel: { name: 'films' }, account: { name: 'jos\u00e9' } }])
})

it('a list of types hides no other actor', async () => {
  await send({ type: ['x:Change', 'Update'], object: { ...stranger.document, type: ['Person', 'x:Person'], name: 'Taken' } })
  await isProcessed()
  expect(await runQuery(sql`SELECT 1 FROM accounts WHERE name = 'Taken'`)).toEqual([])
  const [row] = await runQuery<{ outcome: string }>(sql`SELECT outcome FROM incoming ORDER BY id DESC LIMIT 1`)
  expect(row!.outcome).toContain('another actor')
})
