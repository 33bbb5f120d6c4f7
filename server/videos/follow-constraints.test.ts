import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortUuid } from '../../shared/short-uuid.ts'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { seedVideo } from '../test/seed-video.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let ada: Awaited<ReturnType<TestInstance['user']>>
let root: string
let remote: { id: number; uuid: string }
let actors: { channel: number; account: number; instance: number; sharer: number }
let ownActor: number
beforeAll(async () => {
  site = await startTestInstance({ search: { remote_uri: { anonymous: false } } }, ['web'])
  root = await site.login()
  ada = await site.user('ada')
  await seedVideo({ channelId: ada.channelId })
  const actor = async (name: string, type: string, host = 'far.example') =>
    (
      await runQuery<{ id: number }>(sql`
        INSERT INTO actors (type, preferred_username, host, url, public_key, inbox_url, outbox_url, followers_url, following_url, created_at, updated_at)
        VALUES (${type}, ${name}, ${host}, ${`https://${host}/${name}`}, '', 'https://far.example/inbox', '', '', '', now(), now()) RETURNING id`)
    )[0]!.id
  actors = {
    channel: await actor('films', 'Group'),
    account: await actor('owner', 'Person'),
    instance: await actor('peertube', 'Application'),
    sharer: await actor('peertube', 'Application', 'sharer.example')
  }
  const [account] = await runQuery<{ id: number }>(sql`
    INSERT INTO accounts (actor_id, name, created_at, updated_at) VALUES (${actors.account}, 'Owner', now(), now()) RETURNING id`)
  const [channel] = await runQuery<{ id: number }>(sql`
    INSERT INTO channels (actor_id, account_id, name, created_at, updated_at)
    VALUES (${actors.channel}, ${account!.id}, 'Films', now(), now()) RETURNING id`)
  remote = await seedVideo({ channelId: channel!.id })
  await runQuery(sql`UPDATE videos SET remote = true, name = 'A far film' WHERE id = ${remote.id}`)
  ownActor = (await runQuery<{ id: number }>(sql`SELECT id FROM actors WHERE url = ${`${site.url}/accounts/peertube`}`))[0]!.id
  const [adaActor] = await runQuery<{ id: number }>(sql`SELECT actor_id AS id FROM accounts WHERE user_id = ${ada.id}`)
  await follow(adaActor!.id, actors.channel)
})
afterAll(async () => await site?.stop())

const follow = async (from: number, to: number, state = 'accepted') =>
  await runQuery(sql`INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    VALUES (${`${site.url}/follows/${from}/${to}`}, ${from}, ${to}, ${state}, now(), now())`)
const PUBLIC_LISTS = ['/videos', '/videos?isLocal=false', '/videos?host=far.example']
const VISITOR_LISTS = ['/accounts/owner@far.example/videos', '/video-channels/films@far.example/videos', '/search/videos?search=far']
const isListed = async (path: string, token?: string) =>
  (await site.call(`GET ${path}`, { token })).json.data.some((one: any) => one.uuid === remote.uuid)
const listed = async (paths: string[], token?: string) => await Promise.all(paths.map(async path => await isListed(path, token)))

const ALL = [true, true, true]
const NONE = [false, false, false]

test('what only the subscription of one user fetched is not in public lists, and not shown to visitors', async () => {
  expect([await listed(PUBLIC_LISTS), await listed(PUBLIC_LISTS, ada.token), await listed(PUBLIC_LISTS, root)]).toEqual([NONE, NONE, NONE])
  expect([await listed(VISITOR_LISTS), await listed(VISITOR_LISTS, ada.token)]).toEqual([NONE, ALL])
  expect(await isListed('/users/me/subscriptions/videos', ada.token)).toBe(true)
  for (const path of ['', '/description'])
    expect((await site.call(`GET /videos/${remote.uuid}${path}`)).json).toMatchObject({
      status: 403,
      code: 'does_not_respect_follow_constraints',
      originUrl: expect.stringContaining(remote.uuid)
    })
  expect((await site.call(`GET /videos/${remote.uuid}`, { token: ada.token })).status).toBe(200)
  const page = await site.call(`GET //w/${shortUuid(remote.uuid)}`, { headers: { accept: 'text/html' } })
  expect([page.status, page.text]).toEqual([403, expect.stringMatching(/href="[^"]*\/[^"]*">\s*<span>Watch it on/)])
})

test('who may not search for addresses sees only what is followed', async () => {
  config.search.remote_uri.users = false
  try {
    expect(await listed(VISITOR_LISTS, ada.token)).toEqual(NONE)
    expect((await site.call(`GET /videos/${remote.uuid}`, { token: ada.token })).status).toBe(403)
  } finally {
    config.search.remote_uri.users = true
  }
  config.search.remote_uri.anonymous = true
  // Cached answers last until something changes.
  await runQuery(sql`UPDATE videos SET updated_at = now() WHERE id = ${remote.id}`)
  try {
    expect(await listed(VISITOR_LISTS)).toEqual(ALL)
    expect(await listed(PUBLIC_LISTS)).toEqual(NONE)
  } finally {
    config.search.remote_uri.anonymous = false
    await runQuery(sql`UPDATE videos SET updated_at = now() WHERE id = ${remote.id}`)
  }
})

test.each(['channel', 'account', 'instance'] as const)('a follow of the %s shows it to everybody, a pending one to nobody', async kind => {
  await follow(ownActor, actors[kind], 'pending')
  expect([await listed(PUBLIC_LISTS), await listed(VISITOR_LISTS)]).toEqual([NONE, NONE])
  await runQuery(sql`UPDATE follows SET state = 'accepted' WHERE actor_id = ${ownActor}`)
  expect([await listed(PUBLIC_LISTS), await listed(VISITOR_LISTS)]).toEqual([ALL, ALL])
  expect((await site.call(`GET /videos/${remote.uuid}`)).status).toBe(200)
  await runQuery(sql`DELETE FROM follows WHERE actor_id = ${ownActor}`)
  expect(await listed(PUBLIC_LISTS)).toEqual(NONE)
})

test('a followed server that shares it shows it to everybody', async () => {
  await runQuery(
    sql`INSERT INTO video_shares (url, video_id, actor_id) VALUES ('https://sharer.example/1', ${remote.id}, ${actors.sharer})`
  )
  expect(await listed(PUBLIC_LISTS)).toEqual(NONE)
  await follow(ownActor, actors.sharer)
  expect([await listed(PUBLIC_LISTS), (await site.call(`GET /videos/${remote.uuid}`)).status]).toEqual([ALL, 200])
})
