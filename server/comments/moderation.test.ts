import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { createRoles, statusesByRole, type RoleTokens } from '../test/roles.ts'
import { seedVideo } from '../test/seed-video.ts'
import { finishCommentRemovals } from './comment-removals.ts'

let instance: TestInstance
let tokens: RoleTokens
let channels: { user: number; otherUser: number }
let videos: Record<'ofUser' | 'ofOther' | 'remote', { id: number; uuid: string }>
const accountIds: Record<string, number> = {}
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
  tokens = await createRoles(instance)
  for (const role of ['user', 'otherUser', 'moderator'] as const) {
    const me = (await instance.call('GET /users/me', { token: tokens[role] })).json
    accountIds[role] = me.account.id
    channels = { ...channels, [role]: me.videoChannels[0].id }
  }
  const [actor] = await runQuery<{ id: number }>(sql`
    INSERT INTO actors (type, url, preferred_username, host, inbox_url, public_key, created_at, updated_at)
    VALUES ('Person', 'https://far.example/u/spam_mer', 'spam_mer', 'far.example', 'https://far.example/inbox', 'x', now(), now()) RETURNING id`)
  const [account] = await runQuery<{ id: number }>(
    sql`INSERT INTO accounts (actor_id, name, created_at, updated_at) VALUES (${actor!.id}, 'Spammer', now(), now()) RETURNING id`
  )
  accountIds.remote = account!.id
  videos = {
    ofUser: await seedVideo({ channelId: channels.user }),
    ofOther: await seedVideo({ channelId: channels.otherUser }),
    remote: await seedVideo({ channelId: channels.otherUser })
  }
  await runQuery(sql`UPDATE videos SET remote = true, name = 'Elsewhere' WHERE id = ${videos.remote.id}`)
})
beforeEach(async () => {
  await runQuery(sql`DELETE FROM comments`)
  await runQuery(sql`DELETE FROM outgoing`)
  await runQuery(sql`UPDATE videos SET comments = 0`)
})
afterAll(async () => await instance?.stop())

let urls = 0
const comment = async (account: string, video: { id: number }, { text = 'Hello', held = false, createdAt = new Date() } = {}) => {
  const [row] = await runQuery<{ id: number }>(sql`
    INSERT INTO comments (url, video_id, account_id, text, remote, held, created_at, updated_at)
    VALUES (${`https://c.example/${++urls}`}, ${video.id}, ${accountIds[account]!}, ${text}, ${account === 'remote'}, ${held}, ${createdAt}, now())
    RETURNING id`)
  if (!held) await runQuery(sql`UPDATE videos SET comments = comments + 1 WHERE id = ${video.id}`)
  return row!.id
}
const list = async (query = '', token = tokens.moderator) => await instance.call(`GET /videos/comments${query}`, { token })
const idsOf = async (query: string, token?: string) => (await list(query, token)).json.data.map(({ id }: { id: number }) => id)
const bulk = async (body: unknown, token = tokens.moderator) => await instance.call('POST /bulk/remove-comments-of', { token, body })
const left = async () =>
  (await runQuery<{ id: number }>(sql`SELECT id FROM comments WHERE deleted_at IS NULL ORDER BY id`)).map(({ id }) => id)

test('moderators and administrators list all comments, with their videos', async () => {
  const id = await comment('remote', videos.ofUser, { text: '<p>Spam<script>alert(1)</script></p>' })
  await comment('user', videos.ofOther)
  expect(await statusesByRole(tokens, async token => await list('', token))).toEqual([401, 403, 403, 200, 200])
  const { json } = await list('?sort=createdAt')
  expect(json.total).toBe(2)
  expect(json.data[0]).toMatchObject({
    id,
    threadId: id,
    inReplyToCommentId: null,
    heldForReview: false,
    automaticTags: [],
    html: '<p>Spam</p>',
    video: { id: videos.ofUser.id, uuid: videos.ofUser.uuid, name: 'A seed' },
    account: { name: 'spam_mer', host: 'far.example', displayName: 'Spammer' }
  })
  expect((await instance.call('GET /users/me/videos/comments', { token: tokens.user })).json.data).toMatchObject([
    { id, automaticTags: [], video: { uuid: videos.ofUser.uuid } }
  ])
})

test('the list is filtered, sorted and paged', async () => {
  const far = await comment('remote', videos.ofUser, { text: '100 % Off' })
  const near = await comment('user', videos.ofOther, { text: 'off topic', held: true })
  const elsewhere = await comment('user', videos.remote, { text: '1000 times' })
  await runQuery(sql`UPDATE comments SET deleted_at = now() WHERE id = ${await comment('user', videos.ofUser)}`)
  const cases: [string, number[]][] = [
    ['', [elsewhere, near, far]],
    ['?sort=createdAt', [far, near, elsewhere]],
    ['?start=1&count=1', [near]],
    ['?isLocal=true', [elsewhere, near]],
    ['?isLocal=false', [far]],
    ['?onLocalVideo=true', [near, far]],
    ['?onLocalVideo=false', [elsewhere]],
    ['?isHeldForReview=true', [near]],
    ['?search=OFF', [near, far]],
    ['?search=100%20%25', [far]],
    ['?search=elsewhere', [elsewhere]],
    ['?search=spammer', [far]],
    ["?search=';DROP TABLE comments--", []],
    ['?searchAccount=spam_mer@far', [far]],
    ['?searchAccount=spam-mer', []],
    ['?searchVideo=ELSE', [elsewhere]],
    [`?videoId=${videos.ofOther.id}`, [near]],
    [`?videoChannelId=${channels.user}`, [far]],
    ['?autoTagOneOf=external-link', []],
    ['?isLocal=true&search=off', [near]]
  ]
  for (const [query, expected] of cases) {
    expect(await idsOf(query), query).toEqual(expected)
    if (!query.includes('count')) expect((await list(query)).json.total, query).toBe(expected.length)
  }
  for (const query of ['?sort=text', '?isLocal=perhaps', '?videoId=x', '?count=101', `?search=${'x'.repeat(201)}`])
    expect((await list(query)).status, query).toBe(400)
})

test('bulk removal: below the own videos for users, everywhere for moderators', async () => {
  for (const scope of ['my-videos', 'instance'])
    expect(await statusesByRole(tokens, async token => await bulk({ accountName: 'spam_mer@far.example', scope }, token)), scope).toEqual(
      scope === 'instance' ? [401, 403, 403, 204, 204] : [401, 204, 204, 204, 204]
    )
  const [ofUser, ofOther, byOther] = [
    await comment('remote', videos.ofUser),
    await comment('remote', videos.ofOther),
    await comment('otherUser', videos.ofUser)
  ]
  expect((await bulk({ accountName: 'spam_mer@far.example', scope: 'my-videos' }, tokens.user)).status).toBe(204)
  expect(await left()).toEqual([ofOther, byOther])
  expect((await bulk({ accountName: 'spam_mer@far.example', scope: 'instance' })).status).toBe(204)
  expect(await left()).toEqual([byOther])
  const sent = await runQuery<{ object: string }>(
    sql`SELECT activity ->> 'object' AS object FROM outgoing WHERE type = 'Delete' ORDER BY id`
  )
  const urlOf = async (id: number) => (await runQuery<{ url: string }>(sql`SELECT url FROM comments WHERE id = ${id}`))[0]!.url
  expect(sent.map(({ object }) => object)).toEqual([await urlOf(ofUser), await urlOf(ofOther)])
  expect(await runQuery(sql`SELECT id, comments FROM videos WHERE id IN (${videos.ofUser.id}, ${videos.ofOther.id}) ORDER BY id`)).toEqual([
    { id: videos.ofUser.id, comments: 1 },
    { id: videos.ofOther.id, comments: 0 }
  ])
})

test.each([
  [{ scope: 'instance' }, 400],
  [{ accountName: 'user1' }, 400],
  [{ accountName: 'user1', scope: 'everywhere' }, 400],
  [{ accountName: ['user1'], scope: 'instance' }, 400],
  [{ accountName: "user1' OR 1=1", scope: 'instance' }, 400],
  [{ accountName: 'nobody', scope: 'instance' }, 404]
])('bulk removal of %j is refused and removes nothing', async (body, status) => {
  const id = await comment('user', videos.ofOther)
  expect((await bulk(body)).status).toBe(status)
  expect(await left()).toEqual([id])
})

test('many comments are removed in batches, once each, also where it is requested twice at once; later ones stay', async () => {
  for (let number = 0; number < 120; number++) await comment('remote', videos.ofUser, { createdAt: new Date(Date.now() + 86_400_000) })
  const request = async () => await bulk({ accountName: 'spam_mer@far.example', scope: 'instance' })
  expect((await Promise.all([request(), request()])).map(({ status }) => status)).toEqual([204, 204])
  const later = await comment('remote', videos.ofUser, { createdAt: new Date(0) })
  const { signal } = new AbortController()
  await Promise.all([finishCommentRemovals(signal), finishCommentRemovals(signal)])
  expect(await left()).toEqual([later])
  const [deletes] = await runQuery<{ count: number; objects: number }>(
    sql`SELECT count(*)::int AS count, count(DISTINCT activity ->> 'object')::int AS objects FROM outgoing WHERE type = 'Delete'`
  )
  expect(deletes).toEqual({ count: 120, objects: 120 })
  expect(await runQuery(sql`SELECT 1 FROM comment_removals`)).toEqual([])
  expect(await runQuery(sql`SELECT comments FROM videos WHERE id = ${videos.ofUser.id}`)).toEqual([{ comments: 1 }])
})

test('removals of two accounts with comments below the same videos do not wait for each other for ever', async () => {
  for (let round = 0; round < 3; round++) {
    for (const [account, other] of [
      ['user', 'otherUser'],
      ['otherUser', 'user']
    ] as const) {
      for (let number = 0; number < 20; number++) {
        await comment(account, videos.ofUser)
        await comment(other, videos.ofOther)
      }
    }
    const answers = await Promise.all(['user1', 'user2'].map(async accountName => await bulk({ accountName, scope: 'instance' })))
    expect(answers.map(({ status }) => status)).toEqual([204, 204])
  }
  expect(await left()).toEqual([])
  expect(await runQuery(sql`SELECT 1 FROM videos WHERE comments <> 0`)).toEqual([])
})

test('what moderators remove of a user here is removed on the server of the video, too', async () => {
  const [alone, inBulk] = [await comment('user', videos.remote), await comment('user', videos.remote)]
  await comment('remote', videos.remote)
  const path = `/videos/${videos.remote.uuid}/comments/${alone}`
  expect((await instance.call(`DELETE ${path}`, { token: tokens.moderator })).status).toBe(204)
  for (const accountName of ['user1', 'spam_mer@far.example']) expect((await bulk({ accountName, scope: 'instance' })).status).toBe(204)
  expect(
    await runQuery(
      sql`SELECT activity ->> 'actor' AS actor, activity ->> 'object' AS object FROM outgoing WHERE type = 'Delete' ORDER BY id`
    )
  ).toEqual(
    (await runQuery<{ url: string }>(sql`SELECT url FROM comments WHERE id IN (${alone}, ${inBulk}) ORDER BY id`)).map(({ url }) => ({
      actor: `${instance.url}/accounts/user1`,
      object: url
    }))
  )
})

test('a comment that is deleted several times at once is deleted once', async () => {
  const id = await comment('user', videos.ofUser)
  const remove = async () => (await instance.call(`DELETE /videos/${videos.ofUser.uuid}/comments/${id}`, { token: tokens.user })).status
  expect((await Promise.all([remove(), remove(), remove(), remove()])).sort()).toEqual([204, 409, 409, 409])
  expect((await runQuery(sql`SELECT 1 FROM outgoing WHERE type = 'Delete'`)).length).toBe(1)
})
