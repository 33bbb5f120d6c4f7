import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { seedVideo } from '../test/seed-video.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let root: string
let ada: Awaited<ReturnType<TestInstance['user']>>
let bob: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  root = await site.login()
  ada = await site.user('ada')
  bob = await site.user('bob')
  await seedVideo({ channelId: ada.channelId })
  await seedVideo({ channelId: ada.channelId })
})
afterAll(async () => await site?.stop())

const MANY = Array.from({ length: 101 }, (_, number) => `host${number}.example`)

/** Requests with one wrong parameter each, and its name. */
const REFUSED: [key: string, name: string, body?: object][] = [
  ['POST /server/following', 'hosts', {}],
  ['POST /server/following', 'hosts', { hosts: [], handles: [] }],
  ['POST /server/following', 'hosts', { hosts: [''] }],
  ['POST /server/following', 'hosts', { hosts: 'example.org' }],
  ['POST /server/following', 'hosts', { hosts: ['http://example.org'] }],
  ['POST /server/following', 'hosts', { hosts: ['example.org', 'EXAMPLE.org'] }],
  ['POST /server/following', 'hosts', { hosts: MANY }],
  ['POST /server/following', 'handles', { handles: [''] }],
  ['POST /server/following', 'handles', { handles: ['root@'] }],
  ['POST /server/following', 'handles', { hosts: ['example.org'], handles: ['root'] }],
  ['POST /server/following', 'handles', { handles: ['root@example.org', '@Root@example.org'] }],
  ['DELETE /server/following/not%20a%20host', 'hostOrHandle'],
  ['DELETE /server/following/root@', 'hostOrHandle'],
  ['DELETE /server/followers/root', 'handle'],
  ['POST /server/followers/root@/accept', 'handle'],
  ['POST /server/followers/root@a@b/reject', 'handle'],
  ['GET /blocklist/status?accounts=1', 'accounts'],
  ['GET /blocklist/status?accounts[]=root@example.org&accounts[]=root@', 'accounts'],
  ['GET /blocklist/status?hosts=1', 'hosts'],
  ['GET /blocklist/status?hosts[]=ok.example&hosts[]=%3Cb%3E', 'hosts'],
  ['GET /search/videos?host=not%20a%20host', 'host'],
  ['GET /search/videos?host=http://example.org', 'host'],
  ['GET /search/video-channels?host=1', 'host'],
  ['GET /search/video-channels?handles[]=', 'handles'],
  ['GET /search/video-channels?handles[]=root@', 'handles'],
  ["GET /videos?host='%20OR%201=1%20--", 'host'],
  ['GET /server/ineffective-activities?host=a/b', 'host'],
  ['POST /server/peers/not%20a%20host/retry', 'host'],
  ['POST /users/me/blocklist/servers', 'host', { host: 'example.org/' }],
  ['POST /users/me/blocklist/accounts', 'accountName', { accountName: 'root@' }],
  ['GET /jobs?jobType=unknown', 'jobType'],
  ['GET /jobs/failed?jobType=__proto__', 'jobType'],
  ['GET /jobs/nope', 'state'],
  ['POST /users/me/subscriptions', 'uri', { uri: 'root' }],
  ['POST /users/me/subscriptions', 'uri', { uri: 'root@hello@' }],
  ['POST /users/me/subscriptions', 'uri', { uri: 5 }],
  ['GET /users/me/subscriptions/exist', 'uris'],
  ['GET /users/me/subscriptions/exist?uris=toto', 'uris'],
  ['GET /users/me/subscriptions/exist?uris[]=root@ok.example&uris[]=1', 'uris'],
  ['GET /users/me/subscriptions/root', 'uri'],
  ['DELETE /users/me/subscriptions/root@', 'uri'],
  ['GET /videos?filter=local', 'filter'],
  ['GET /accounts/ada/videos?filter=all', 'filter'],
  ['GET /video-channels/ada_channel/videos?filter=', 'filter'],
  ['GET /search/videos?filter=local', 'filter'],
  ['GET /users/me/subscriptions/videos?filter=local', 'filter'],
  ['PUT /users/me', 'videoLanguages', { videoLanguages: ['en', 'unknown'] }],
  ['PUT /users/me', 'videoLanguages', { videoLanguages: 'toto' }],
  ['PUT /users/me', 'language', { language: 'klingon' }],
  ['PUT /users/me', 'theme', { theme: 'peertube-theme-unknown' }],
  ['PUT /users/me', 'currentPassword', { password: 'another password' }],
  ['POST /abuses', 'video.endAt', { reason: 'bad bad', video: { id: 1, startAt: 10, endAt: 5 } }],
  ['POST /abuses', 'video.endAt', { reason: 'bad bad', video: { id: 1, startAt: 5, endAt: 5 } }],
  ['GET /videos?isLocal=perhaps', 'isLocal'],
  ['GET /users?blocked=2', 'blocked']
]
test.each(REFUSED)('%s: 400 that names %s (%#)', async (key, name, body) => {
  const { status, json } = await site.call(key, { token: root, body })
  expect([status, Object.keys(json['invalid-params'] ?? {}), json['invalid-params']?.[name]?.path]).toEqual([400, [name], name])
})

test('every list with an order refuses an unknown one', async () => {
  const { json } = await site.call('GET /openapi.json')
  const { id } = await seedVideo({ channelId: ada.channelId, privacy: 5 })
  const sorted = Object.entries<any>(json.paths).filter(([, item]) => item.get?.parameters?.some((one: any) => one.name === 'sort'))
  expect(sorted.length).toBeGreaterThan(20)
  for (const [path] of sorted) {
    const values: Record<string, string> = { id: String(id), state: 'failed', name: 'ada', channelHandle: 'ada_channel' }
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '1')
    for (const sort of ['nope', '--createdAt', 'constructor', 'createdAt;']) {
      const answer = await site.call(`GET ${filled}?sort=${sort}`, { token: root })
      expect([path, sort, answer.status, answer.json?.['invalid-params']?.sort?.path]).toEqual([path, sort, 400, 'sort'])
    }
  }
})

test('booleans are words', async () => {
  const total = async (query: string) => (await site.call(`GET /videos?${query}`)).json.total
  for (const word of ['true', 'TRUE', '1', 'yes', 'Y', 'on', 't']) expect([word, await total(`isLocal=${word}`)]).toEqual([word, 2])
  for (const word of ['false', 'No', '0', 'off']) expect([word, await total(`isLocal=${word}`)]).toEqual([word, 0])
})

test('skipCount leaves the total out', async () => {
  for (const path of ['/videos', '/accounts/ada/videos', '/video-channels/ada_channel/videos', '/search/videos']) {
    const { json } = await site.call(`GET ${path}?skipCount=yes&count=1`)
    expect([path, Object.keys(json), json.data.length]).toEqual([path, ['data'], 1])
    expect((await site.call(`GET ${path}?skipCount=false&count=1`)).json.total).toBe(2)
  }
})

test('filters of moderators and of users', async () => {
  const status = async (query: string, token?: string) => (await site.call(`GET /videos?${query}`, { token })).status
  for (const query of ['include=1', 'include=8', 'include=64', 'autoTagOneOf=external-link', 'autoTagOneOf[]=a&autoTagOneOf[]=b']) {
    expect([query, await status(query), await status(query, ada.token), await status(query, root)]).toEqual([query, 401, 401, 200])
  }
  expect(await status('include=0')).toBe(200)
  expect((await site.call('GET /videos?autoTagOneOf=external-link', { token: root })).json.total).toBe(0)
  const anonymous = await site.call('GET /videos?excludeAlreadyWatched=true')
  expect([anonymous.status, Object.keys(anonymous.json['invalid-params'])]).toEqual([400, ['excludeAlreadyWatched']])
  expect(await status('excludeAlreadyWatched=false')).toBe(200)
  expect(await status('excludeAlreadyWatched=true', ada.token)).toBe(200)
})

test('only own channels filter the own videos', async () => {
  const call = async (token: string, channelId: number) => await site.call(`GET /users/me/videos?channelId=${channelId}`, { token })
  expect((await call(ada.token, ada.channelId)).json.total).toBe(3)
  for (const [token, channelId] of [
    [bob.token, ada.channelId],
    [root, ada.channelId],
    [bob.token, 99_999]
  ] as const)
    expect((await call(token, channelId)).json).toMatchObject({ status: 404, detail: 'Video channel not found' })
})

test('a wrong current password is refused also for an address that stays', async () => {
  const change = async (body: object) => (await site.call('PUT /users/me', { token: bob.token, body })).json
  const wrong = { status: 401, code: 'current_password_is_invalid' }
  expect(await change({ email: 'bob@example.com', currentPassword: 'wrong' })).toMatchObject(wrong)
  expect(await change({ email: 'bob2@example.com', currentPassword: 'wrong' })).toMatchObject(wrong)
  expect(await change({ password: 'another password', currentPassword: 'wrong' })).toMatchObject(wrong)
  expect(await runQuery(sql`SELECT email FROM users WHERE id = ${bob.id}`)).toEqual([{ email: 'bob@example.com' }])
  expect(
    (await site.call('PUT /users/me', { token: bob.token, body: { email: 'bob@example.com', currentPassword: 'password1' } })).status
  ).toBe(204)
  for (const language of ['fr', 'fr-FR', 'zh-Hans-CN', null])
    expect((await site.call('PUT /users/me', { token: bob.token, body: { language, videoLanguages: ['fr', '_unknown'] } })).status).toBe(
      204
    )
})

test('the types of jobs of PeerTube and of this server are known', async () => {
  for (const type of ['activitypub-http-unicast', 'video-transcoding', 'video-transcoding'])
    expect([type, (await site.call(`GET /jobs?jobType=${type}`, { token: root })).status]).toEqual([type, 200])
})

test('passwords of a video come in the order that is asked for', async () => {
  const { id, uuid } = await seedVideo({ channelId: ada.channelId, privacy: 5 })
  for (const password of ['one', 'two', 'three'])
    await runQuery(sql`INSERT INTO video_passwords (video_id, password, created_at, updated_at) VALUES (${id}, ${password}, now(), now())`)
  const list = async (sort: string) =>
    (await site.call(`GET /videos/${uuid}/passwords?${sort}`, { token: ada.token })).json.data.map((one: any) => one.password)
  expect(await list('sort=createdAt')).toEqual(['one', 'two', 'three'])
  expect(await list('sort=-id&count=2')).toEqual(['three', 'two'])
  expect(await list('')).toEqual(['three', 'two', 'one'])
})

test('subscriptions and their videos come in the order that is asked for', async () => {
  const owners = []
  for (const name of ['first', 'second', 'third']) owners.push(await site.user(name))
  const eve = await site.user('eve')
  const channels = owners.map(({ channelId }) => channelId)
  const videos = new Map<string, string>()
  for (const [index, channelId] of channels.entries()) {
    const { id, uuid } = await seedVideo({ channelId, views: [30, 10, 20][index]! })
    await runQuery(sql`UPDATE videos SET published_at = now() - ${[2, 3, 1][index]!} * interval '1 hour' WHERE id = ${id}`)
    videos.set(uuid, ['first', 'second', 'third'][index]!)
    await runQuery(sql`UPDATE channels SET updated_at = now() - interval '4 hours' WHERE id = ${channelId}`)
    await runQuery(sql`
      INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
      SELECT ${`${site.url}/follows/eve/${channelId}`}, account_actor.actor_id, channels.actor_id, 'accepted',
        now() - ${[3, 2, 1][index]!} * interval '1 hour', now()
      FROM channels, accounts account_actor WHERE channels.id = ${channelId} AND account_actor.user_id = ${eve.id}`)
  }
  const follows = async (query: string) =>
    (await site.call(`GET /users/me/subscriptions${query}`, { token: eve.token })).json.data.map((one: any) => one.id as number)
  const [first, second, third] = channels
  for (const [sort, order] of [
    ['createdAt', [first, second, third]],
    ['id', [first, second, third]],
    ['channelUpdatedAt', [second, first, third]]
  ] as const) {
    expect([sort, await follows(`?sort=${sort}`)]).toEqual([sort, order])
    expect([sort, await follows(`?sort=-${sort}`)]).toEqual([sort, [...order].reverse()])
  }
  expect(await follows('?sort=createdAt&start=1&count=1')).toEqual([second])
  const films = async (sort: string) =>
    (await site.call(`GET /users/me/subscriptions/videos?sort=${sort}`, { token: eve.token })).json.data.map((one: any) =>
      videos.get(one.uuid)
    )
  for (const [sort, order] of [
    ['publishedAt', ['second', 'first', 'third']],
    ['views', ['second', 'third', 'first']]
  ] as const) {
    expect([sort, await films(sort)]).toEqual([sort, order])
    expect([sort, await films(`-${sort}`)]).toEqual([sort, [...order].reverse()])
  }
})

test('errors of a route name its documentation', async () => {
  const { docs } = (await site.call('GET /videos/99999')).json
  expect(docs).toBe(`${site.url}/api/v1/docs#getVideosId`)
  expect((await site.call('GET //api/v1/docs')).text).toContain('id="getVideosId"')
  for (const [key, operation] of [
    ['GET /videos?sort=nope', 'getVideos'],
    ['GET /users/me', 'getUsersMe'],
    ['POST /users/register', 'postUsersRegister']
  ] as const)
    expect([key, (await site.call(key)).json.docs]).toEqual([key, `${site.url}/api/v1/docs#${operation}`])
  expect((await site.call('GET /unknown')).json).not.toHaveProperty('docs')
})

test('an internal video that becomes public keeps its date, a private or unlisted one gets a new one', async () => {
  const publishedAt = async (uuid: string) => (await site.call(`GET /videos/${uuid}`, { token: ada.token })).json.publishedAt
  for (const [privacy, isKept] of [
    [4, true],
    [3, false],
    [2, false]
  ] as const) {
    const { uuid } = await seedVideo({ channelId: ada.channelId, privacy })
    await runQuery(sql`UPDATE videos SET published_at = '2020-01-01T00:00:00Z' WHERE uuid = ${uuid}::uuid`)
    expect((await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 1 } })).status).toBe(204)
    expect([privacy, (await publishedAt(uuid)) === '2020-01-01T00:00:00.000Z']).toEqual([privacy, isKept])
  }
})

test('the counts of a user count its comments and reports', async () => {
  const { uuid, id } = await seedVideo({ channelId: ada.channelId })
  const comment = async (text: string) =>
    (await site.call(`POST /videos/${uuid}/comment-threads`, { token: ada.token, body: { text } })).json.comment.id
  await comment('one')
  const deleted = await comment('two')
  await site.call(`DELETE /videos/${uuid}/comments/${deleted}`, { token: ada.token })
  const report = async (token: string, body: object) =>
    (await site.call('POST /abuses', { token, body: { reason: 'bad bad', ...body } })).json.abuse.id
  const accepted = await report(bob.token, { video: { id } })
  await report(bob.token, { account: { id: (await site.call('GET /accounts/ada')).json.id } })
  await report(ada.token, { account: { id: (await site.call('GET /accounts/bob')).json.id } })
  await site.call(`PUT /abuses/${accepted}`, { token: root, body: { state: 3 } })
  const counts = async (id: number) => (await site.call(`GET /users/${id}?withStats=true`, { token: root })).json
  expect(await counts(ada.id)).toMatchObject({ abusesCount: 2, abusesAcceptedCount: 1, abusesCreatedCount: 1, videoCommentsCount: 1 })
  expect(await counts(bob.id)).toMatchObject({ abusesCount: 1, abusesAcceptedCount: 0, abusesCreatedCount: 2, videoCommentsCount: 0 })
  expect((await site.call(`GET /users/${ada.id}`, { token: root })).json).not.toHaveProperty('abusesCount')
})
