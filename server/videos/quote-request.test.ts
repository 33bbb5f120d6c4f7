import jsonld from 'jsonld'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { loadJsonLdContext } from '../fediverse/jsonld-context-loader.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let peer: HostilePeer
let ada: { token: string; channelId: number }
let bob: HostileActor

beforeAll(async () => {
  ;[site, peer] = await Promise.all([startTestInstance({ internals: { outbox: { checkInterval: 100 } } }), startHostilePeer()])
  ada = await site.user('ada')
  bob = await peer.actor('bob')
})
afterAll(async () => {
  await Promise.all([site?.stop(), peer?.stop()])
})

const newVideo = async (privacy: number, policy = 1) => {
  const { id, uuid } = await seedVideo({ channelId: ada.channelId, privacy })
  const url = `${site.url}/videos/watch/${uuid}`
  await runQuery(sql`UPDATE videos SET url = ${url}, comments_policy = ${policy} WHERE id = ${id}`)
  return { uuid, url }
}
const requestQuote = async (object: string, instrument: unknown = peer.id('notes'), type: unknown = 'QuoteRequest') => {
  const request = { type: type as string, id: peer.id('quote-requests'), actor: bob.url, object, instrument }
  expect((await peer.post(`${site.url}/inbox`, request)).status).toBe(202)
  return { ...request, instrument: typeof instrument === 'string' ? instrument : (instrument as { id: string }).id }
}
const answerTo = async ({ id }: { id: string }) =>
  await eventually(async () => peer.received.find(({ activity }) => activity.object?.id === id), 20, 'the answer')
const document = async (url: string) => (await peer.get(url)).json

test('who quotes a public video gets an authorization that others can verify, the same for the same quote', async () => {
  const { url } = await newVideo(1)
  const request = await requestQuote(url, { type: 'Note', id: peer.id('notes') })
  const { activity, path } = await answerTo(request)
  expect([activity, path]).toMatchObject([
    {
      type: 'Accept',
      actor: `${site.url}/accounts/ada`,
      to: [bob.url],
      object: request,
      result: expect.any(String)
    },
    new URL(bob.inbox).pathname
  ])
  expect(await document(activity.result)).toMatchObject({
    type: 'QuoteAuthorization',
    id: activity.result,
    attributedTo: `${site.url}/accounts/ada`,
    interactingObject: request.instrument,
    interactionTarget: url
  })
  const again = await answerTo(await requestQuote(url, request.instrument))
  expect(again.activity.result).toBe(activity.result)
  expect((await answerTo(await requestQuote(url))).activity.result).not.toBe(activity.result)
  const other = await newVideo(1)
  expect((await peer.get(activity.result.replace(url, other.url))).status).toBe(404)
  expect((await peer.get(`${url}/quote-authorizations/0x1`)).status).toBe(404)
  await runQuery(sql`UPDATE videos SET privacy = 3 WHERE url = ${url}`)
  expect((await peer.get(activity.result)).status).toBe(404)
})

test('nothing else may be quoted, and what is private is answered like what does not exist', async () => {
  const [unlisted, secret] = [await newVideo(2), await newVideo(3)]
  expect((await answerTo(await requestQuote(unlisted.url))).activity).toMatchObject({ type: 'Reject', actor: `${site.url}/accounts/ada` })
  for (const url of [secret.url, `${site.url}/videos/watch/00000000-0000-4000-8000-000000000000`, `${site.url}/nowhere`]) {
    const { activity } = await answerTo(await requestQuote(url))
    expect(activity).toMatchObject({ type: 'Reject', actor: `${site.url}/accounts/peertube`, object: { object: url } })
    expect(activity.result).toBeUndefined()
  }
  const authorized = await runQuery(
    sql`SELECT 1 FROM quote_authorizations JOIN videos v ON v.id = video_id WHERE v.url IN (${unlisted.url}, ${secret.url})`
  )
  expect(authorized).toEqual([])
})

test('whom the owner of a video has blocked, alone or with the whole host, may not quote it', async () => {
  const { url } = await newVideo(1)
  for (const [kind, body, name] of [
    ['accounts', { accountName: `bob@${peer.host}` }, `bob@${peer.host}`],
    ['servers', { host: peer.host }, peer.host]
  ] as const) {
    expect((await site.call(`POST /users/me/blocklist/${kind}`, { token: ada.token, body })).status).toBe(204)
    const { activity } = await answerTo(await requestQuote(url))
    expect(activity).toMatchObject({ type: 'Reject', actor: `${site.url}/accounts/ada` })
    expect(activity.result).toBeUndefined()
    expect((await site.call(`DELETE /users/me/blocklist/${kind}/${name}`, { token: ada.token })).status).toBe(204)
    expect((await answerTo(await requestQuote(url))).activity.type).toBe('Accept')
  }
})

test('a request that has another type, too, is one', async () => {
  const { url } = await newVideo(1)
  expect((await answerTo(await requestQuote(url, undefined, ['x:Ask', 'QuoteRequest']))).activity.type).toBe('Accept')
})

test('a quote of another origin than who asks, none at all, or one of what is not here gets no answer', async () => {
  const { url } = await newVideo(1)
  const count = async () => (await runQuery(sql`SELECT 1 FROM quote_authorizations`)).length
  const [before, answers] = [await count(), peer.received.length]
  for (const instrument of ['https://elsewhere.example/1', null, 7, `${peer.url}/${'x'.repeat(3000)}`, { type: 'Note' }])
    await requestQuote(url, instrument ?? undefined)
  await requestQuote(`${peer.url}/videos/1`)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 20, 'the inbox')
  expect([await count(), peer.received.length]).toEqual([before + 1, answers + 1])
})

test('a video says who may reply and quote, in terms that hold for that only', async () => {
  const anyone = { automaticApproval: [PUBLIC] }
  const owner = { automaticApproval: [`${site.url}/accounts/ada`] }
  const policyOf = async (privacy: number, policy: number) => (await document((await newVideo(privacy, policy)).url)).interactionPolicy
  expect(await policyOf(1, 1)).toEqual({ canReply: anyone, canLike: anyone, canAnnounce: anyone, canQuote: anyone })
  expect(await policyOf(1, 2)).toMatchObject({ canReply: owner, canQuote: anyone })
  expect(await policyOf(2, 3)).toMatchObject({ canReply: { ...owner, manualApproval: [PUBLIC] }, canQuote: owner })
  const { '@context': context, interactionPolicy, canReply } = await document((await newVideo(1, 3)).url)
  const expanded = JSON.stringify(
    await jsonld.expand({ '@context': context, id: 'https://x.example/1', canReply, interactionPolicy } as never, {
      documentLoader: loadJsonLdContext as never
    })
  )
  expect(expanded).toContain('"https://joinpeertube.org/ns#canReply":[{"@value"')
  expect(expanded).toContain('"https://gotosocial.org/ns#canReply":[{"https://gotosocial.org/ns#automaticApproval":[{"@id"')
})
