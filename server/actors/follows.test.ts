import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startPeerInstance, type PeerInstance } from '../test/peer-instance.ts'

let site: TestInstance
let peer: PeerInstance
let hostile: HostilePeer
let root: string
let ada: { id: number; token: string; channelId: number }
beforeAll(async () => {
  ;[site, peer, hostile] = await Promise.all([
    startTestInstance({ internals: { outbox: { retryDelay: 200, checkInterval: 300 } } }),
    startPeerInstance(),
    startHostilePeer()
  ])
  root = await site.login()
  ada = await site.user('ada')
})
afterAll(async () => {
  await Promise.all([site.stop(), peer.stop(), hostile.stop()])
})

const get = async (path: string) => await hostile.get(`${site.url}${path}`, { headers: { accept: 'application/activity+json' } })
const received = (type: string) => hostile.received.filter(({ activity }) => activity.type === type)
const follow = (actor: HostileActor, object: string) => ({
  '@context': 'https://www.w3.org/ns/activitystreams',
  type: 'Follow',
  id: hostile.id('follow'),
  actor: actor.url,
  object
})

test('accounts, channels and the instance have documents; browsers are redirected to pages; unknown names give 404', async () => {
  for (const [path, type] of [
    ['/accounts/ada', 'Person'],
    ['/video-channels/ada_channel', 'Group'],
    ['/accounts/peertube', 'Application']
  ] as const) {
    const { status, headers, json } = await get(path)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/activity+json; charset=utf-8')
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(json).toMatchObject({
      type,
      id: site.url + path,
      inbox: `${site.url}${path}/inbox`,
      outbox: `${site.url}${path}/outbox`,
      endpoints: { sharedInbox: `${site.url}/inbox` },
      publicKey: {
        id: `${site.url}${path}#main-key`,
        owner: site.url + path,
        publicKeyPem: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----/)
      },
      preferredUsername: path.split('/')[2],
      published: expect.any(String)
    })
    expect(json['@context'].slice(0, 2)).toEqual(['https://www.w3.org/ns/activitystreams', 'https://w3id.org/security/v1'])
  }
  expect((await get('/video-channels/ada_channel')).json).toMatchObject({
    postingRestrictedToMods: true,
    attributedTo: [{ type: 'Person', id: `${site.url}/accounts/ada` }]
  })
  expect((await get('/c/ada_channel')).json.id).toBe(`${site.url}/video-channels/ada_channel`)
  for (const path of ['/accounts/nobody', '/video-channels/ada', '/accounts/ada_channel', '/accounts/ada@elsewhere.example'])
    expect((await get(path)).status).toBe(404)
  const page = await hostile.get(`${site.url}/accounts/ada`, { headers: { accept: 'text/html' } })
  expect(page.headers.location).toBe('/a/ada')
})

test('WebFinger and host-meta', async () => {
  const host = new URL(site.url).host
  const { status, json } = await get(`/.well-known/webfinger?resource=${encodeURIComponent(`acct:ada_channel@${host}`)}`)
  expect(status).toBe(200)
  expect(json).toMatchObject({ subject: `acct:ada_channel@${host}`, aliases: [`${site.url}/video-channels/ada_channel`] })
  expect(json.links[0]).toEqual({ rel: 'self', type: 'application/activity+json', href: `${site.url}/video-channels/ada_channel` })
  expect((await get(`/.well-known/webfinger?resource=${encodeURIComponent(`acct:nobody@${host}`)}`)).status).toBe(404)
  const resources = [
    ...['acct:ada', 'ACCT:ADA', 'acct:@ada', '@ada', 'ada'].map(handle => `${handle}@${host}`),
    ...['accounts/ada', 'a/ada', 'a/ada/', '@ada', '@ADA/videos', `@ada@${host}`, 'accounts/ada?x=1#main-key'].map(
      path => `${site.url}/${path}`
    )
  ]
  for (const resource of resources) {
    const answer = await get(`/.well-known/webfinger?resource=${encodeURIComponent(resource)}`)
    expect(answer.json.subject, resource).toBe(`acct:ada@${host}`)
    expect(answer.headers).toMatchObject({ 'content-type': 'application/jrd+json; charset=utf-8', 'access-control-allow-origin': '*' })
  }
  for (const path of ['video-channels/ada_channel', 'c/ada_channel', '@ada_channel', 'c/ada_channel/videos'])
    expect((await get(`/.well-known/webfinger?resource=${encodeURIComponent(`${site.url}/${path}`)}`)).json.subject, path).toBe(
      `acct:ada_channel@${host}`
    )
  for (const path of ['', 'a/ada_channel', 'c/ada', '@nobody', 'a/ada@example.com', 'videos/watch/1', '@%00'])
    expect((await get(`/.well-known/webfinger?resource=${encodeURIComponent(`${site.url}/${path}`)}`)).status, path).toBe(404)
  for (const resource of ['acct:ada@example.com', 'ada', 'https://example.com/accounts/ada', `a@b@${host}`, ''])
    expect((await get(`/.well-known/webfinger?resource=${encodeURIComponent(resource)}`)).status).toBe(400)
  expect((await get('/.well-known/host-meta')).text).toContain(`${site.url}/.well-known/webfinger?resource={uri}`)
})

test('a Follow of a channel is accepted at the inbox of the follower, again when repeated, counted, and undone', async () => {
  const alice = await hostile.actor('alice')
  const activity = follow(alice, `${site.url}/video-channels/ada_channel`)
  expect((await hostile.post(`${site.url}/inbox`, activity)).status).toBe(202)
  const [accept] = await eventually(async () => received('Accept').length === 1 && received('Accept'), 10, 'the Accept')
  expect(accept).toMatchObject({
    path: new URL(alice.inbox).pathname,
    activity: { actor: `${site.url}/video-channels/ada_channel`, object: { type: 'Follow', id: activity.id, actor: alice.url } }
  })
  await hostile.post(`${site.url}/inbox`, activity, { date: new Date(Date.now() - 20_000) })
  await eventually(async () => received('Accept').length === 2, 10, 'the second Accept')
  const { json } = await get('/video-channels/ada_channel/followers')
  expect(json).toMatchObject({ type: 'OrderedCollection', totalItems: 1, first: `${site.url}/video-channels/ada_channel/followers?page=1` })
  expect((await get('/video-channels/ada_channel/followers?page=1')).json).toMatchObject({
    type: 'OrderedCollectionPage',
    partOf: `${site.url}/video-channels/ada_channel/followers`,
    orderedItems: [alice.url],
    totalItems: 1
  })
  expect((await get('/video-channels/ada_channel/followers?page=a')).status).toBe(400)
  expect((await site.call('GET /video-channels/ada_channel')).json.followersCount).toBe(1)
  expect((await site.call('GET /video-channels/ada_channel/followers', { token: ada.token })).json).toMatchObject({
    total: 1,
    data: [{ follower: { name: 'alice', host: hostile.host }, state: 'accepted', score: 1000 }]
  })

  const bob = await hostile.actor('bob')
  await hostile.post(`${site.url}/inbox`, { type: 'Undo', id: hostile.id('undo'), actor: bob.url, object: activity })
  await hostile.post(`${site.url}/inbox`, { type: 'Undo', id: hostile.id('undo'), actor: alice.url, object: activity })
  await eventually(async () => (await get('/video-channels/ada_channel/followers')).json.totalItems === 0, 10, 'the Undo')
})

test('an Accept without a Follow has no effect', async () => {
  const carol = await hostile.actor('carol')
  await hostile.post(`${site.url}/inbox`, {
    type: 'Accept',
    id: hostile.id('accept'),
    actor: carol.url,
    object: { type: 'Follow', id: `${site.url}/accounts/ada/follows/1`, actor: `${site.url}/accounts/ada`, object: carol.url }
  })
  await eventually(
    async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE actor = ${carol.url} AND done_at IS NOT NULL`)).length === 1,
    10,
    'the processing'
  )
  expect(await runQuery(sql`SELECT 1 FROM follows JOIN actors ON actors.id = target_id WHERE actors.url = ${carol.url}`)).toEqual([])
})

test('an Update of an actor refetches it from its origin and ignores the object of the activity', async () => {
  const dave = await hostile.actor('dave')
  await hostile.post(`${site.url}/inbox`, follow(dave, `${site.url}/accounts/ada`))
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM actors WHERE url = ${dave.url}`)).length === 1, 10, 'the actor')
  const mallory = await hostile.actor('mallory')
  await hostile.post(`${site.url}/inbox`, {
    type: 'Update',
    id: hostile.id('update'),
    actor: mallory.url,
    object: { ...dave.document, name: 'Not Dave', inbox: mallory.inbox }
  })
  await hostile.post(`${site.url}/inbox`, {
    type: 'Update',
    id: hostile.id('update'),
    actor: dave.url,
    object: { ...dave.document, name: 'Lies', inbox: mallory.inbox }
  })
  hostile.serve(new URL(dave.url).pathname, { ...dave.document, name: 'David' })
  await hostile.post(`${site.url}/inbox`, { type: 'Update', id: hostile.id('update'), actor: dave.url, object: dave.document })
  await eventually(
    async () =>
      (
        await runQuery<{ name: string }>(sql`SELECT name FROM accounts JOIN actors ON actors.id = actor_id WHERE actors.url = ${dave.url}`)
      )[0]?.name === 'David',
    10,
    'the new name'
  )
  expect(await runQuery(sql`SELECT inbox_url FROM actors WHERE url = ${dave.url}`)).toEqual([{ inbox_url: dave.inbox }])
})

test('actor documents with a foreign id, inbox, key or owner are refused', async () => {
  const { resolveActor } = await import('./resolve-actor.ts')
  const eve = await hostile.actor('eve')
  const other = await hostile.actor('other')
  const invalidFields: Record<string, object> = {
    id: { id: 'http://127.0.0.1:1/accounts/eve' },
    inbox: { inbox: 'http://127.0.0.1:1/inbox' },
    owner: { publicKey: { ...(eve.document.publicKey as object), owner: other.url } },
    key: { publicKey: { ...(eve.document.publicKey as object), id: 'http://127.0.0.1:1/accounts/eve#main-key' } },
    weak: { publicKey: { ...(eve.document.publicKey as object), publicKeyPem: 'no' } },
    none: { publicKey: null },
    type: { type: 'Note' },
    name: { preferredUsername: 'a b' }
  }
  for (const [name, more] of Object.entries(invalidFields)) {
    const path = `/accounts/bad-${name}`
    hostile.serve(path, {
      ...eve.document,
      id: hostile.url + path,
      ...(name === 'owner' || name === 'key' || name === 'weak' || name === 'none'
        ? {}
        : { publicKey: { ...(eve.document.publicKey as object), owner: hostile.url + path } }),
      ...more
    })
    await expect(resolveActor(hostile.url + path), name).rejects.toMatchObject({ kind: expect.stringMatching(/invalid|refused/) })
  }
  hostile.serve('/accounts/twin', {
    ...eve.document,
    id: `${hostile.url}/accounts/twin`,
    preferredUsername: 'eve',
    publicKey: { ...(eve.document.publicKey as object), id: `${hostile.url}/accounts/twin#main-key`, owner: `${hostile.url}/accounts/twin` }
  })
  await resolveActor(eve.url)
  await expect(resolveActor(`${hostile.url}/accounts/twin`)).rejects.toMatchObject({ kind: 'invalid' })
})

test('a Delete of an actor removes it', async () => {
  const frank = await hostile.actor('frank')
  await hostile.post(`${site.url}/inbox`, follow(frank, `${site.url}/accounts/ada`))
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM actors WHERE url = ${frank.url}`)).length === 1, 10, 'the actor')
  await hostile.post(`${site.url}/inbox`, { type: 'Delete', id: hostile.id('delete'), actor: frank.url, object: frank.url })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM actors WHERE url = ${frank.url}`)).length === 0, 10, 'the removal')
})

test('an instance follows another, a user subscribes to a remote channel and unsubscribes', async () => {
  const peerRoot = await peer.login()
  await peer.user('grace')
  expect((await site.call('POST /server/following', { token: root, body: { hosts: [peer.host], handles: [] } })).status).toBe(204)
  const following = async () => (await site.call('GET /server/following')).json
  await eventually(async () => (await following()).data.some((one: { state: string }) => one.state === 'accepted'), 15, 'the Accept')
  expect(await following()).toMatchObject({
    total: 1,
    data: [
      { follower: { name: 'peertube', host: new URL(site.url).host }, following: { name: 'peertube', host: peer.host }, state: 'accepted' }
    ]
  })
  expect((await peer.call('GET /server/followers')).json).toMatchObject({
    total: 1,
    data: [{ follower: { host: new URL(site.url).host }, state: 'accepted' }]
  })

  const uri = `grace_channel@${peer.host}`
  expect((await site.call('POST /users/me/subscriptions', { token: ada.token, body: { uri } })).status).toBe(204)
  const list = async () => (await site.call('GET /users/me/subscriptions', { token: ada.token })).json
  await eventually(async () => (await list()).total === 1, 15, 'the subscription')
  expect((await list()).data[0]).toMatchObject({
    name: 'grace_channel',
    host: peer.host,
    isLocal: false,
    ownerAccount: { name: 'grace', host: peer.host }
  })
  expect((await site.call(`GET /users/me/subscriptions/exist?uris[]=${uri}&uris[]=nope@${peer.host}`, { token: ada.token })).json).toEqual({
    [uri]: true,
    [`nope@${peer.host}`]: false
  })
  expect((await peer.call('GET /video-channels/grace_channel')).json.followersCount).toBe(1)
  expect((await site.call(`DELETE /users/me/subscriptions/${uri}`, { token: ada.token })).status).toBe(204)
  await eventually(
    async () => (await peer.call('GET /video-channels/grace_channel')).json.followersCount === 0,
    15,
    'the Undo on the other instance'
  )

  expect((await peer.call(`DELETE /server/followers/peertube@${new URL(site.url).host}`, { token: peerRoot })).status).toBe(204)
  await eventually(async () => (await following()).data.some((one: { state: string }) => one.state === 'rejected'), 15, 'the Reject')
  expect((await site.call(`DELETE /server/following/${peer.host}`, { token: root })).status).toBe(204)
  expect((await following()).total).toBe(0)
  expect((await site.call(`DELETE /server/following/${peer.host}`, { token: root })).status).toBe(404)
})

test('a channel that has no key yet, or does not exist yet, is subscribed to once it has', async () => {
  const subscribe = async (name: string) =>
    (await site.call('POST /users/me/subscriptions', { token: ada.token, body: { uri: `${name}@${hostile.host}` } })).status
  const attempts = async (name: string) =>
    (await runQuery<{ attempts: number }>(sql`SELECT attempts FROM wanted_follows WHERE handle = ${`${name}@${hostile.host}`}`))[0]
      ?.attempts ?? 0
  const owner = await hostile.actor('owner_of_new')
  const attributedTo = [{ type: 'Person', id: owner.url }]
  const keyless = await hostile.actor('keyless', 'Group', { attributedTo, publicKey: undefined })
  expect([await subscribe('keyless'), await subscribe('unborn')]).toEqual([204, 204])
  await eventually(async () => (await attempts('keyless')) > 1 && (await attempts('unborn')) > 1, 20, 'the attempts')
  hostile.serve('/video-channels/keyless', {
    ...keyless.document,
    publicKey: { id: keyless.keyId, owner: keyless.url, publicKeyPem: keyless.publicKeyPem }
  })
  await hostile.actor('unborn', 'Group', { attributedTo })
  for (const name of ['keyless', 'unborn'])
    await eventually(async () => received('Follow').some(({ path }) => path.includes(name)), 20, `the Follow of ${name}`)
})

test('what cannot be followed for now is retried, also where it does not exist; an administrator can cancel', async () => {
  const [unreachable, nobody] = ['127.0.0.1:1', `nobody@${peer.host}`]
  expect((await site.call('POST /server/following', { token: root, body: { hosts: [unreachable], handles: [`@${nobody}`] } })).status).toBe(
    204
  )
  const wanted = async () => (await site.call('GET /server/following/wanted', { token: root })).json
  await eventually(async () => (await wanted()).data.every((one: { attempts: number }) => one.attempts > 0), 15, 'the attempts')
  expect(await wanted()).toEqual({
    total: 2,
    data: [
      {
        handle: nobody,
        attempts: expect.any(Number),
        error: expect.any(String),
        nextTryAt: expect.any(String),
        createdAt: expect.any(String)
      },
      {
        handle: `peertube@${unreachable}`,
        attempts: expect.any(Number),
        error: expect.any(String),
        nextTryAt: expect.any(String),
        createdAt: expect.any(String)
      }
    ]
  })
  for (const one of [unreachable, nobody.toUpperCase().replace(peer.host.toUpperCase(), peer.host)])
    expect((await site.call(`DELETE /server/following/${one}`, { token: root })).status).toBe(204)
  expect((await wanted()).total).toBe(0)
  expect((await site.call(`DELETE /server/following/${unreachable}`, { token: root })).status).toBe(404)
  expect([
    (await site.call('GET /server/following/wanted', { token: ada.token })).status,
    (await site.call('GET /server/following/wanted')).status
  ]).toEqual([403, 401])
})

test('malformed hosts and handles and users without the role are refused', async () => {
  expect((await site.call('POST /server/following', { token: root, body: { hosts: ['not a host'] } })).status).toBe(400)
  expect((await site.call('POST /server/following', { token: ada.token, body: { hosts: [peer.host] } })).status).toBe(403)
  expect((await site.call('POST /users/me/subscriptions', { token: ada.token, body: { uri: 'ada_channel' } })).status).toBe(400)
  expect((await site.call('POST /users/me/subscriptions', { body: { uri: `ada_channel@${peer.host}` } })).status).toBe(401)
  expect((await site.call(`DELETE /users/me/subscriptions/x@${peer.host}`, { token: ada.token })).status).toBe(404)
})
