import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

type User = { id: number; token: string; channelId: number }
let site: TestInstance
let hostile: HostilePeer
let root: string
let ada: User
let bob: User
let video: { id: number; uuid: string }
let privateVideo: { id: number; uuid: string }
let comment: { id: number; url: string }
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({
      abuses: { max_messages: 3 },
      federation: { abuses: { max_pending_per_host: 6 } },
      internals: { outbox: { checkInterval: 100 }, abuses: { maxObjects: 3 } }
    }),
    startHostilePeer()
  ])
  root = await site.login()
  ada = await site.user('ada')
  bob = await site.user('bob')
  const seedLocalVideo = async (privacy: number) => {
    const seeded = await seedVideo({ channelId: ada.channelId, privacy })
    await runQuery(sql`UPDATE videos SET url = ${`${site.url}/videos/watch/${seeded.uuid}`} WHERE id = ${seeded.id}`)
    return seeded
  }
  video = await seedLocalVideo(1)
  privateVideo = await seedLocalVideo(3)
  comment = (await site.call(`POST /videos/${video.uuid}/comment-threads`, { token: ada.token, body: { text: 'Rude words' } })).json.comment
})
afterAll(async () => {
  await Promise.all([site.stop(), hostile.stop()])
})

const report = async (body: object, token: string | undefined = bob.token) =>
  await site.call('POST /abuses', { token, body: { reason: 'It is bad', ...body } })
const listReports = async (filter = '', token = root) => (await site.call(`GET /abuses?count=100${filter}`, { token })).json
const accountOf = async (name: string) => (await site.call(`GET /accounts/${name}`)).json.id as number
const createFlag = (actor: HostileActor, object: unknown, more: object = {}) => ({
  type: 'Flag',
  id: hostile.id('flags'),
  actor: actor.url,
  object,
  content: 'I report this',
  ...more
})
const deliver = async (activity: object) => {
  expect((await hostile.post(`${site.url}/inbox`, activity as never)).status).toBe(202)
}
const waitForProcessing = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')
const videoUrl = (uuid: string) => `${site.url}/videos/watch/${uuid}`

test('videos, comments and accounts are reported, decided about and deleted', async () => {
  const first = await report({
    video: { id: video.id, startAt: 1, endAt: 2 },
    predefinedReasons: ['violentOrRepulsive', 'privacy', 'privacy']
  })
  expect([first.status, first.json]).toEqual([200, { abuse: { id: expect.any(Number) } }])
  const { id } = first.json.abuse
  expect((await report({ comment: { id: comment.id } })).status).toBe(200)
  expect((await report({ account: { id: await accountOf('ada') } })).status).toBe(200)
  const reports = await listReports()
  expect([reports.total, reports.data.map((one: any) => [one.video !== null, one.comment !== null])]).toEqual([
    3,
    [
      [false, false],
      [false, true],
      [true, false]
    ]
  ])
  expect(reports.data[2]).toMatchObject({
    id,
    reason: 'It is bad',
    predefinedReasons: ['violentOrRepulsive', 'privacy'],
    state: { id: 1, label: 'Pending' },
    moderationComment: null,
    countMessages: 0,
    countReportsForReporter: 3,
    countReportsForReportee: 3,
    reporterAccount: { name: 'bob' },
    flaggedAccount: { name: 'ada' },
    comment: null,
    video: {
      id: video.id,
      uuid: video.uuid,
      name: 'A seed',
      startAt: 1,
      endAt: 2,
      deleted: false,
      blacklisted: false,
      channel: { name: 'ada_channel', isLocal: true },
      countReports: 1,
      nthReport: 1
    }
  })
  expect(reports.data[1].comment).toEqual({
    id: comment.id,
    threadId: comment.id,
    text: 'Rude words',
    deleted: false,
    video: { id: video.id, uuid: video.uuid, name: 'A seed' }
  })

  expect((await site.call(`PUT /abuses/${id}`, { token: root, body: { state: 3, moderationComment: 'Done' } })).status).toBe(204)
  expect((await listReports('&state=3')).data).toMatchObject([{ id, state: { id: 3, label: 'Accepted' }, moderationComment: 'Done' }])
  const ownReports = (await site.call('GET /users/me/abuses?sort=id', { token: bob.token })).json
  expect([ownReports.total, ownReports.data[0].state]).toEqual([3, { id: 3, label: 'Accepted' }])
  // Notes between moderators are hidden from the reporter.
  for (const hidden of ['moderationComment', 'reporterAccount', 'countReportsForReporter'])
    expect(ownReports.data[0]).not.toHaveProperty(hidden)
  expect((await site.call('GET /users/me/abuses', { token: ada.token })).json).toEqual({ total: 0, data: [] })

  for (const [filter, total] of [
    ['&filter=comment', 1],
    ['&filter=video', 1],
    ['&predefinedReason=privacy', 1],
    ['&predefinedReason=rights', 0],
    ['&searchReporter=BOB', 3],
    ['&searchReporter=ada', 0],
    ['&searchReportee=ad', 3],
    ['&searchVideo=seed', 1],
    ['&searchVideoChannel=ada_', 1],
    ['&search=%25', 0],
    ['&search=bad', 3],
    ['&videoIs=blacklisted', 0],
    ['&videoIs=deleted', 0],
    [`&id=${id}`, 1]
  ] as const) {
    expect([filter, (await listReports(filter)).total]).toEqual([filter, total])
  }
  expect((await site.call(`DELETE /abuses/${id}`, { token: root })).status).toBe(204)
  expect((await site.call(`DELETE /abuses/${id}`, { token: root })).json).toMatchObject({ status: 404, detail: 'Abuse not found' })
  expect((await site.call(`PUT /abuses/${id}`, { token: root, body: { state: 2 } })).status).toBe(404)
})

test('refuses reports without a reason or target, and of objects that the reporter cannot see', async () => {
  const before = (await listReports()).total
  for (const [body, field] of [
    [{ reason: undefined }, 'reason'],
    [{ reason: 'x' }, 'reason'],
    [{ reason: 'x'.repeat(3001) }, 'reason'],
    [{ predefinedReasons: ['boring'] }, 'predefinedReasons'],
    [{ video: { id: video.id, startAt: -1 } }, 'video.startAt']
  ] as const) {
    const response = await report({ video: { id: video.id }, ...body })
    expect([response.status, Object.keys(response.json['invalid-params'])[0]]).toEqual([400, field])
  }
  expect((await report({})).json).toMatchObject({ status: 400, detail: 'video id or account id or comment id is required.' })
  expect((await report({ video: { id: video.id }, account: { id: 1 } })).status).toBe(400)
  for (const [body, status] of [
    [{ video: { id: 9999 } }, 404],
    [{ comment: { id: 9999 } }, 404],
    [{ account: { id: 9999 } }, 404],
    [{ video: { id: privateVideo.id } }, 403]
  ] as const)
    expect((await report(body)).status).toBe(status)
  expect((await site.call('POST /abuses', { body: { reason: 'It is bad', video: { id: video.id } } })).status).toBe(401)
  for (const key of ['GET /abuses', 'PUT /abuses/1', 'DELETE /abuses/1']) {
    expect((await site.call(key, key.startsWith('PUT') ? { body: { state: 3 } } : {})).status).toBe(401)
    expect((await site.call(key, { token: bob.token, ...(key.startsWith('PUT') ? { body: { state: 3 } } : {}) })).status).toBe(403)
  }
  expect(Object.keys((await site.call('PUT /abuses/1', { token: root, body: { state: 12 } })).json['invalid-params'])).toEqual(['state'])
  expect((await listReports()).total).toBe(before)
})

test('a report about a remote account is sent to its server only, as the reporter', async () => {
  const alice = await hostile.actor('alice')
  await deliver({ type: 'Follow', id: hostile.id('follow'), actor: alice.url, object: `${site.url}/accounts/ada` })
  await waitForProcessing()
  hostile.received.length = 0
  const [account] = await runQuery<{ id: number }>(
    sql`SELECT accounts.id FROM accounts JOIN actors ON actors.id = actor_id WHERE actors.url = ${alice.url}`
  )
  const { id } = (await report({ account: { id: account!.id }, reason: 'Alice', predefinedReasons: ['rights'] })).json.abuse
  const flags = () => hostile.received.filter(one => one.activity.type === 'Flag')
  await eventually(async () => flags().length > 0, 5, 'the Flag')
  expect(flags().map(one => one.activity)).toMatchObject([
    {
      id: `${site.url}/admin/abuses/${id}`,
      type: 'Flag',
      actor: `${site.url}/accounts/bob`,
      to: [alice.url],
      cc: [],
      content: 'Alice',
      mediaType: 'text/markdown',
      object: alice.url,
      tag: [{ type: 'Hashtag', name: 'rights' }]
    }
  ])
  // Without an object signature it cannot be forwarded.
  expect(flags()[0]!.activity.signature).toBeUndefined()
  expect((await listReports(`&id=${id}`)).data[0]).toMatchObject({ flaggedAccount: { name: 'alice', host: hostile.host } })
  const before = flags().length
  await report({ video: { id: video.id } })
  expect((await runQuery(sql`SELECT 1 FROM outgoing WHERE type = 'Flag'`)).length).toBe(before)
})

test('a remote Flag creates one report for each local object it names', async () => {
  const reporter = await hostile.actor('reporter')
  const before = (await listReports()).total
  await deliver(
    createFlag(reporter, [videoUrl(video.uuid), comment.url, `${site.url}/accounts/ada`], {
      tag: [{ type: 'Hashtag', name: 'spamOrMisleading' }, { type: 'Hashtag', name: '#rights' }, { type: 'Hashtag', name: 'boring' }, 5],
      startAt: 1,
      endAt: 3.5
    })
  )
  await waitForProcessing()
  const { data } = await listReports()
  expect(data.length).toBe(before + 3)
  const ownReports = data.filter((one: any) => one.reporterAccount.name === 'reporter')
  expect(ownReports.map((one: any) => one.video?.id ?? one.comment?.id ?? one.flaggedAccount.name).toSorted()).toEqual(
    [video.id, comment.id, 'ada'].toSorted()
  )
  expect(ownReports.find((one: any) => one.video)).toMatchObject({
    reason: 'I report this',
    predefinedReasons: ['spamOrMisleading', 'rights'],
    video: { startAt: 1, endAt: 3 }
  })
  // An instance actor that reports without a text, as Mastodon does.
  const instance = await hostile.actor('instance', 'Application')
  await deliver(createFlag(instance, videoUrl(video.uuid), { content: undefined }))
  await waitForProcessing()
  expect((await listReports()).data[0]).toMatchObject({ reason: '', predefinedReasons: [], video: { id: video.id } })
})

test('ignores reports of hidden, foreign or malformed objects, and limits pending reports per host', async () => {
  const before = (await listReports()).total
  const eve = await hostile.actor('eve')
  for (const object of [
    videoUrl(privateVideo.uuid),
    `${site.url}/accounts/nobody`,
    eve.url,
    null,
    5,
    {},
    [],
    [null, 5],
    'javascript:alert(1)',
    { id: videoUrl(privateVideo.uuid), type: 'Video' }
  ])
    await deliver(createFlag(eve, object))
  await waitForProcessing()
  expect((await listReports()).total).toBe(before)
  // Its markup is stored as plain text.
  const malformedFlag = createFlag(eve, [videoUrl(video.uuid)], {
    content: `<script>alert(1)</script>\u202e\u0000${'x'.repeat(5000)}`,
    tag: 'rights',
    startAt: 1e300,
    endAt: 'soon'
  })
  await deliver(malformedFlag)
  await waitForProcessing()
  const [storedReport] = (await listReports()).data
  expect(storedReport).toMatchObject({ predefinedReasons: [], video: { startAt: null, endAt: null } })
  expect([storedReport.reason.length, storedReport.reason.includes('\u202e')]).toEqual([3000, false])
  await deliver({ ...malformedFlag, content: 'Once more' })
  for (let index = 0; index < 10; index++) await deliver(createFlag(eve, [videoUrl(video.uuid), `${site.url}/accounts/ada`]))
  await waitForProcessing()
  // Three by the reporter, one by the instance, one by eve: one more fits.
  expect((await listReports()).total).toBe(before + 2)
  expect(await runQuery(sql`SELECT 1 FROM incoming WHERE outcome LIKE 'failed%'`)).toEqual([])
  const forged = createFlag(await hostile.actor('mallory'), videoUrl(video.uuid))
  expect((await hostile.post(`${site.url}/inbox`, forged, { as: eve })).status).toBe(401)
})

test('moderators and the reporter exchange messages that nobody else can read', async () => {
  const { id } = (await report({ video: { id: video.id } })).json.abuse
  const sendMessage = async (token: string, message: string, about = id) =>
    await site.call(`POST /abuses/${about}/messages`, { token, body: { message } })
  const listMessages = async (token: string) => await site.call(`GET /abuses/${id}/messages`, { token })
  const first = (await sendMessage(root, 'Hello reporter')).json.abuseMessage.id
  const second = (await sendMessage(bob.token, 'Hello admin')).json.abuseMessage.id
  expect((await listMessages(bob.token)).json).toMatchObject({
    total: 2,
    data: [
      { id: first, byModerator: true, message: 'Hello reporter', account: { name: 'root' } },
      { id: second, byModerator: false, message: 'Hello admin', account: { name: 'bob' } }
    ]
  })
  expect((await listReports(`&id=${id}`)).data[0].countMessages).toBe(2)
  expect([
    (await listMessages(ada.token)).status,
    (await sendMessage(ada.token, 'Me too')).status,
    (await site.call(`GET /abuses/${id}/messages`)).status
  ]).toEqual([403, 403, 401])
  expect([(await sendMessage(bob.token, 'x')).status, (await sendMessage(bob.token, 'Hello', 9999)).status]).toEqual([400, 404])
  const deleteMessage = async (token: string, message: number) =>
    (await site.call(`DELETE /abuses/${id}/messages/${message}`, { token })).status
  expect([
    await deleteMessage(bob.token, first),
    await deleteMessage(ada.token, second),
    await deleteMessage(bob.token, second),
    await deleteMessage(root, first),
    await deleteMessage(root, first)
  ]).toEqual([403, 403, 204, 204, 404])
  for (let index = 0; index < 4; index++) await sendMessage(bob.token, 'More')
  expect([(await listMessages(root)).json.total, (await sendMessage(root, 'Too much')).status]).toEqual([3, 409])
  const [remote] = await runQuery<{ id: number }>(sql`SELECT id FROM abuses WHERE reporter_host IS NOT NULL LIMIT 1`)
  expect((await sendMessage(root, 'Hello over there', remote!.id)).status).toBe(400)
})

test('reports by blocked accounts and servers disappear for moderators, and come back', async () => {
  const [remote] = await runQuery<{ id: number; video_id: number }>(
    sql`SELECT id, video_id FROM abuses WHERE reporter_host IS NOT NULL AND video_id IS NOT NULL LIMIT 1`
  )
  const { id } = (await report({ video: { id: video.uuid } })).json.abuse
  const listIds = async (): Promise<number[]> => (await listReports()).data.map((abuse: { id: number }) => abuse.id)
  const before = await listIds()
  const shown = async (reportId: number) => (await listIds()).includes(reportId)
  const countReports = async () => (await listReports(`&id=${id}`)).data[0]?.video.countReports
  const reports = await countReports()
  for (const owner of ['server', 'users/me']) {
    expect((await site.call(`POST /${owner}/blocklist/servers`, { token: root, body: { host: hostile.host } })).status).toBe(204)
    expect([await shown(remote!.id), await shown(id)]).toEqual([false, true])
    if (remote!.video_id === video.id) expect(await countReports()).toBeLessThan(reports)
    await site.call(`DELETE /${owner}/blocklist/servers/${hostile.host}`, { token: root })
    await site.call(`POST /${owner}/blocklist/accounts`, { token: root, body: { accountName: 'bob' } })
    expect([await shown(remote!.id), await shown(id)]).toEqual([true, false])
    await site.call(`DELETE /${owner}/blocklist/accounts/bob`, { token: root })
    expect(await listIds()).toEqual(before)
  }
})

test('a report outlives the reported object', async () => {
  const { id } = (await report({ video: { id: video.uuid } })).json.abuse
  await runQuery(sql`UPDATE videos SET name = 'A <b>renamed</b> seed', nsfw = true WHERE id = ${video.id}`)
  await runQuery(sql`DELETE FROM videos WHERE id = ${video.id}`)
  const expected = {
    video: {
      id: video.id,
      uuid: video.uuid,
      name: 'A <b>renamed</b> seed',
      nsfw: true,
      deleted: true,
      channel: { name: 'ada_channel', displayName: expect.any(String), host: new URL(site.url).host, isLocal: true },
      thumbnailPath: null
    },
    flaggedAccount: { name: 'ada' }
  }
  expect((await listReports(`&id=${id}`)).data[0]).toMatchObject(expected)
  expect((await listReports(`&id=${id}&search=renamed`)).data[0]).toMatchObject(expected)
  expect((await listReports(`&id=${id}&searchVideoChannel=ADA_`)).data[0]).toMatchObject(expected)
  const [{ channel }] = (await listReports(`&id=${id}`)).data.map((one: any) => one.video)
  await site.call('POST /video-channels', { token: ada.token, body: { name: 'other_films', displayName: 'Other' } })
  expect((await site.call(`DELETE /video-channels/${channel.name}`, { token: ada.token })).status).toBe(204)
  expect((await listReports(`&id=${id}`)).data[0]).toMatchObject(expected)
  expect((await listReports('&videoIs=deleted')).total).toBeGreaterThan(0)
  expect((await listReports('&filter=comment')).data[0].comment).toEqual({ id: null, threadId: null, text: '', deleted: true, video: null })
})
