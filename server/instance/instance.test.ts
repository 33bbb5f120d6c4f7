import { readFileSync } from 'node:fs'
import type { ServerConfig } from '@peertube/peertube-types'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'
import { deleteProcessedActivities } from '../fediverse/incoming.query.ts'
import { getServerConfig } from './server-config.ts'
import { getServerStatistics } from './statistics.query.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))
const packageJson = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
let instance: TestInstance
let root: string
let user: { id: number; token: string; channelId: number }
beforeAll(async () => {
  instance = await startTestInstance(
    {
      instance: {
        name: 'The reel',
        short_description: 'Short words',
        description: 'Long words',
        languages: ['en', 'fr'],
        categories: [1, 2]
      },
      signup: { enabled: true, limit: 4 }
    },
    ['web']
  )
  root = await instance.login()
  user = await instance.user('user1')
})
afterAll(async () => {
  await instance?.stop()
})

test('GET /ping answers pong', async () => {
  const answer = await instance.call('GET /ping')
  expect([answer.status, answer.headers.get('content-type'), answer.text]).toEqual([200, 'text/html; charset=utf-8', 'pong'])
})

test('the settings have the recorded shape, and the newer keys of PeerTube', async () => {
  const { json } = await instance.call('GET /config')
  // `serverCommit` may be left out: PeerTube's own model says so.
  expect(findJsonShapeDifferences({ ...recorded.config, serverCommit: null }, { serverCommit: null, ...json })).toEqual([])
  const newer: ServerConfig = (await getServerConfig()) as ServerConfig
  const missing: Exclude<keyof ServerConfig, keyof Awaited<ReturnType<typeof getServerConfig>> | 'serverCommit'>[] = []
  expect([missing, newer.federation.enabled]).toEqual([[], true])
})

test('the settings have the values of the configuration', async () => {
  const { json } = await instance.call('GET /config')
  expect(json).toMatchObject({
    serverVersion: '6.3.0',
    bobine: { version: packageJson.version },
    instance: { name: 'The reel', shortDescription: 'Short words', defaultNSFWPolicy: 'do_not_list' },
    transcoding: { hls: { enabled: true }, web_videos: { enabled: true }, enabledResolutions: [240, 360, 480, 720, 1080] },
    signup: { allowed: true, allowedForCurrentIP: true, minimumAge: 16, requiresApproval: false, requiresEmailVerification: false },
    client: { videos: { resumableUpload: { maxChunkSize: 90 * 2 ** 20 } } },
    avatar: { file: { size: { max: 4 * 2 ** 20 } } },
    user: { videoQuota: -1 },
    views: { videos: { watchingInterval: { anonymous: 5000, users: 5000 } } },
    live: { enabled: false },
    email: { enabled: false },
    tracker: { enabled: false }
  })
})

test('the settings report at once whether registrations are open, by the limit of users', async () => {
  expect((await instance.call('GET /config')).json.signup.allowed).toBe(true)
  await instance.user('third')
  const fourth = await instance.user('fourth')
  expect((await instance.call('GET /config')).json.signup.allowed).toBe(false)
  await instance.call(`DELETE /users/${fourth.id}`, { token: root })
  expect((await instance.call('GET /config')).json.signup.allowed).toBe(true)
  config.signup.enabled = false
  await instance.user('fifth')
  expect((await instance.call('GET /config')).json.signup.allowed).toBe(false)
  config.signup.enabled = true
})

test('GET /config/about has the recorded shape and the configured texts', async () => {
  const { json } = await instance.call('GET /config/about')
  expect(findJsonShapeDifferences(recorded.about, json)).toEqual([])
  expect(json.instance).toMatchObject({ name: 'The reel', description: 'Long words', languages: ['en', 'fr'], categories: [1, 2] })
})

test('the statistics have the recorded keys and correct counts', async () => {
  await seedVideo({ channelId: user.channelId, views: 5, sourceSize: 1000, fileSizes: [10, 20] })
  await seedVideo({ channelId: user.channelId, privacy: 3, views: 2, sourceSize: 77, keptSource: false })
  await instance.user('mod1', { role: 1 })
  await runQuery(sql`UPDATE users SET last_login_date = now() - interval '10 days' WHERE username = 'third'`)
  await runQuery(sql`UPDATE users SET last_login_date = NULL WHERE username = 'fifth'`)
  const { json } = await instance.call('GET /server/stats')
  expect(findJsonShapeDifferences(recorded.stats, json)).toEqual([])
  expect(json).toMatchObject({
    totalUsers: 5,
    totalModerators: 1,
    totalAdmins: 1,
    totalDailyActiveUsers: 3,
    totalWeeklyActiveUsers: 3,
    totalMonthlyActiveUsers: 4,
    totalLocalVideos: 2,
    totalVideos: 2,
    totalLocalVideoViews: 7,
    totalLocalVideoFilesSize: 1030,
    totalLocalVideoChannels: 5,
    totalLocalDailyActiveVideoChannels: 1,
    totalLocalWeeklyActiveVideoChannels: 1,
    totalLocalMonthlyActiveVideoChannels: 1
  })
})

test('the statistics count playlists, follows, reports and received activities', async () => {
  await instance.call('POST /video-playlists', { token: user.token, body: { displayName: 'Mine' } })
  await instance.call('POST /video-playlists', {
    token: user.token,
    body: { displayName: 'For all', privacy: 1, videoChannelId: user.channelId }
  })
  const { id } = (await instance.call('GET /accounts/third')).json
  const report = async () =>
    (await instance.call('POST /abuses', { token: user.token, body: { reason: 'bad bad', account: { id } } })).json.abuse.id
  const decided = await report()
  await report()
  await instance.call(`PUT /abuses/${decided}`, { token: root, body: { state: 2 } })
  await runQuery(sql`UPDATE abuses SET created_at = updated_at - interval '2 seconds' WHERE id = ${decided}`)
  const [own] = await runQuery<{ id: number }>(sql`SELECT id FROM actors WHERE url = ${`${instance.url}/accounts/peertube`}`)
  const others = await runQuery<{ id: number }>(sql`SELECT id FROM actors WHERE id <> ${own!.id} ORDER BY id LIMIT 3`)
  const follow = async (from: number, to: number, state: string) =>
    await runQuery(sql`INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
      VALUES (${`${instance.url}/${from}/${to}`}, ${from}, ${to}, ${state}, now(), now())`)
  await follow(others[0]!.id, own!.id, 'accepted')
  await follow(others[1]!.id, own!.id, 'accepted')
  await follow(others[2]!.id, own!.id, 'pending')
  await follow(own!.id, others[0]!.id, 'accepted')
  await follow(others[0]!.id, others[1]!.id, 'accepted')
  const receive = async (type: string, outcome: string | null, age = '1 minute') =>
    await runQuery(sql`INSERT INTO incoming (activity_id, digest, type, actor, signer, proof, host, subject, lane, outcome, done_at)
      VALUES (${`${type} ${outcome} ${age}`}, '', ${type}, 'a', 'a', 'http', 'h', 's', 0, ${outcome},
        CASE WHEN ${outcome}::text IS NOT NULL THEN now() - ${age}::interval END)`)
  await receive('Like', 'done')
  await receive('Like', 'known', '400 days')
  await receive('Create', 'nobody took it', '400 days')
  await receive('Create', 'done', '2 minutes')
  await receive('Move', 'done')
  for (const type of ['Invented1', 'Invented2', 'constructor']) await receive(type, 'nobody took it', '400 days')
  await receive('Follow', null)
  const expected = {
    totalLocalPlaylists: 1,
    totalInstanceFollowers: 2,
    totalInstanceFollowing: 1,
    totalAbuses: 2,
    totalAbusesProcessed: 1,
    averageAbuseResponseTimeMs: 2000,
    totalActivityPubMessagesProcessed: 8,
    totalActivityPubMessagesSuccesses: 4,
    totalActivityPubMessagesErrors: 4,
    totalActivityPubLikeMessagesSuccesses: 2,
    totalActivityPubCreateMessagesSuccesses: 1,
    totalActivityPubCreateMessagesErrors: 1,
    totalActivityPubFollowMessagesSuccesses: 0,
    activityPubMessagesProcessedPerSecond: 3 / 3600,
    totalActivityPubMessagesWaiting: 1
  }
  expect(await getServerStatistics()).toMatchObject(expected)
  // What is swept stays counted, and is counted once.
  for (const _ of [1, 2]) {
    await deleteProcessedActivities([])
    expect(await getServerStatistics()).toMatchObject(expected)
  }
  expect(await runQuery(sql`SELECT type FROM incoming WHERE outcome = 'known'`)).toEqual([])
  // Types that a sender invents take no space for ever.
  expect(await runQuery(sql`SELECT type FROM processed_activities ORDER BY type`)).toEqual([
    { type: 'Create' },
    { type: 'Like' },
    { type: 'other' }
  ])
  await runQuery(sql`DELETE FROM incoming`)
  await runQuery(sql`DELETE FROM outgoing`)
})

test('a channel counts as active by its last publication', async () => {
  await runQuery(sql`UPDATE videos SET published_at = now() - interval '3 days'`)
  expect((await instance.call('GET /server/stats')).json).toMatchObject({
    totalLocalDailyActiveVideoChannels: 0,
    totalLocalWeeklyActiveVideoChannels: 1
  })
  await runQuery(sql`UPDATE videos SET published_at = now() - interval '40 days'`)
  expect((await instance.call('GET /server/stats')).json).toMatchObject({
    totalLocalWeeklyActiveVideoChannels: 0,
    totalLocalMonthlyActiveVideoChannels: 0
  })
})

test('GET /server/debug is only available to administrators', async () => {
  expect((await instance.call('GET /server/debug')).status).toBe(401)
  expect((await instance.call('GET /server/debug', { token: user.token })).status).toBe(403)
  expect((await instance.call('GET /server/debug', { token: root })).json).toEqual({
    ip: expect.stringMatching(/127\.0\.0\.1$/),
    activityPubMessagesWaiting: 0,
    incoming: { waiting: 0 },
    outgoing: { waiting: 0, held: 0, unsendable: 0 }
  })
})

test('nodeinfo 2.0 and 2.1', async () => {
  const links = await instance.call('GET //.well-known/nodeinfo')
  expect(links.status).toBe(200)
  expect(links.json.links).toEqual([
    { rel: 'http://nodeinfo.diaspora.software/ns/schema/2.0', href: `${instance.url}/nodeinfo/2.0.json` },
    { rel: 'http://nodeinfo.diaspora.software/ns/schema/2.1', href: `${instance.url}/nodeinfo/2.1.json` },
    { rel: 'https://www.w3.org/ns/activitystreams#Application', href: `${instance.url}/accounts/peertube` }
  ])
  for (const version of ['2.0', '2.1']) {
    const answer = await instance.call(`GET //nodeinfo/${version}.json`)
    expect(answer.headers.get('content-type')).toBe(
      `application/json; charset=utf-8; profile="http://nodeinfo.diaspora.software/ns/schema/${version}#"`
    )
    expect(findJsonShapeDifferences(recorded.nodeinfo, answer.json)).toEqual([])
    expect(answer.json).toMatchObject({
      version,
      software: { name: packageJson.name, version: packageJson.version },
      protocols: ['activitypub'],
      openRegistrations: false,
      usage: { users: { total: 5, activeMonth: 4, activeHalfyear: 4 }, localPosts: 2, localComments: 0 },
      metadata: { nodeName: 'The reel' }
    })
    expect(answer.json.software.name).toMatch(/^[a-z0-9-]+$/)
  }
  expect((await instance.call('GET //nodeinfo/1.0.json')).json).toMatchObject({
    status: 404,
    detail: 'Nodeinfo schema version not handled'
  })
})
