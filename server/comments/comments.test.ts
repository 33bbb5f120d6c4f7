import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'

type User = { id: number; token: string; channelId: number }
type Tree = { comment: { id: number; text: string; isDeleted: boolean; account: { name: string } | null }; children: Tree[] }

let site: TestInstance
let hostile: HostilePeer
let root: string
let ada: User
let bob: User
let video: { id: number; uuid: string }
let strict: { id: number; uuid: string }
let closed: { id: number; uuid: string }
let secret: { id: number; uuid: string }
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({ federation: { outbox: { check_interval: 300, retry_delay: 200 } } }),
    startHostilePeer()
  ])
  root = await site.login()
  ada = await site.user('ada')
  bob = await site.user('bob')
  video = await uploadVideo(site, ada)
  strict = await uploadVideo(site, ada, { commentsPolicy: 3 })
  closed = await uploadVideo(site, ada, { commentsPolicy: 2 })
  secret = await uploadVideo(site, ada, { privacy: 3 })
  for (const { uuid } of [video, strict, closed, secret]) await waitForTranscoding(site, ada, uuid)
}, 180_000)
afterAll(async () => {
  await Promise.all([site.stop(), hostile.stop()])
})

const threads = async (uuid: string, token?: string) =>
  (await site.call(`GET /videos/${uuid}/comment-threads`, token ? { token } : {})).json
const say = async (user: { token: string }, uuid: string, text: string, parent?: number) =>
  await site.call(`POST /videos/${uuid}/${parent === undefined ? 'comment-threads' : `comments/${parent}`}`, {
    token: user.token,
    body: { text }
  })
const tree = async (uuid: string, id: number): Promise<Tree> => (await site.call(`GET /videos/${uuid}/comment-threads/${id}`)).json
const watchUrl = (uuid: string) => `${site.url}/videos/watch/${uuid}`
const note = (actor: HostileActor, inReplyTo: unknown, more: object = {}) => {
  const id = hostile.id('note')
  return {
    type: 'Create',
    id: `${id}/activity`,
    actor: actor.url,
    object: {
      type: 'Note',
      id,
      url: id,
      content: '<p>Hello</p>',
      inReplyTo,
      published: new Date().toISOString(),
      attributedTo: actor.url,
      to: ['https://www.w3.org/ns/activitystreams#Public'],
      cc: [],
      ...more
    }
  }
}
const post = async (activity: object) => await hostile.post(`${site.url}/inbox`, activity as never)
const done = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')
const get = async (url: string) => await hostile.get(url, { headers: { accept: 'application/activity+json' } })

test('threads, answers, numbers, and a deleted comment that keeps its answers', async () => {
  const first = (await say(bob, video.uuid, '  First **one**  ')).json.comment
  expect(first).toMatchObject({
    text: 'First **one**',
    html: '<p>First <strong>one</strong></p>',
    inReplyToCommentId: null,
    videoId: video.id,
    isDeleted: false,
    heldForReview: false,
    account: { name: 'bob' },
    url: `${watchUrl(video.uuid)}/comments/${first.id}`
  })
  expect(first.threadId).toBe(first.id)
  const reply = (await say(ada, video.uuid, 'Thanks', first.id)).json.comment
  expect(reply).toMatchObject({ threadId: first.id, inReplyToCommentId: first.id })
  await say(bob, video.uuid, 'You are welcome', reply.id)
  const second = (await say(bob, video.uuid, 'Second')).json.comment
  expect(await threads(video.uuid)).toMatchObject({
    total: 2,
    totalNotDeletedComments: 4,
    data: [{ id: second.id }, { id: first.id, totalReplies: 2, totalRepliesFromVideoAuthor: 1 }]
  })
  expect((await site.call(`GET /videos/${video.uuid}/comment-threads?sort=-totalReplies&count=1`)).json.data[0].id).toBe(first.id)
  expect((await tree(video.uuid, first.id)).children[0]!.children[0]!.comment.text).toBe('You are welcome')
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(4)

  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${reply.id}`, { token: bob.token })).status).toBe(403)
  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${first.id}`, { token: ada.token })).status).toBe(204)
  expect(await tree(video.uuid, first.id)).toMatchObject({
    comment: { text: '', isDeleted: true, account: null, deletedAt: expect.any(String) },
    children: [{ comment: { text: 'Thanks' } }]
  })
  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${first.id}`, { token: ada.token })).status).toBe(404)
  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${second.id}`, { token: root })).status).toBe(204)
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(2)
})

test('refusals: nothing to say, nobody to answer, closed, private, not logged in', async () => {
  for (const text of ['', '   ', 'x'.repeat(10_001), 5, null]) expect((await say(bob, video.uuid, text as string)).status).toBe(400)
  expect((await say(bob, video.uuid, 'x', 99_999)).status).toBe(404)
  expect((await say(bob, closed.uuid, 'x')).status).toBe(409)
  expect((await say(bob, secret.uuid, 'x')).status).toBe(403)
  expect((await site.call(`POST /videos/${video.uuid}/comment-threads`, { body: { text: 'x' } })).status).toBe(401)
  expect((await site.call(`GET /videos/${secret.uuid}/comment-threads`)).status).toBe(401)
  expect((await site.call(`GET /videos/${video.uuid}/comment-threads/99999`)).status).toBe(404)
})

test('a held comment is for its author, the owner and moderators until it is approved', async () => {
  const held = (await say(bob, strict.uuid, 'May I?')).json.comment
  expect(held.heldForReview).toBe(true)
  expect((await say(ada, strict.uuid, 'I may')).json.comment.heldForReview).toBe(false)
  expect((await threads(strict.uuid)).total).toBe(1)
  for (const token of [bob.token, ada.token, root]) expect((await threads(strict.uuid, token)).total).toBe(2)
  expect((await get(held.url)).status).toBe(404)
  expect((await get(`${held.url}/activity`)).status).toBe(404)
  expect((await get(`${watchUrl(strict.uuid)}/comments`)).json.totalItems).toBe(1)
  expect((await site.call('GET /users/me/videos/comments?isHeldForReview=true', { token: ada.token })).json).toMatchObject({
    total: 1,
    data: [{ id: held.id }]
  })
  expect((await site.call(`POST /videos/${strict.uuid}/comments/${held.id}/approve`, { token: bob.token })).status).toBe(403)
  expect((await site.call(`POST /videos/${strict.uuid}/comments/${held.id}/approve`, { token: ada.token })).status).toBe(204)
  expect((await site.call(`POST /videos/${strict.uuid}/comments/${held.id}/approve`, { token: ada.token })).status).toBe(400)
  expect((await threads(strict.uuid)).total).toBe(2)
  expect((await get(held.url)).json).toMatchObject({ type: 'Note', replyApproval: `${held.url}/approve-reply` })
  expect((await get(`${held.url}/approve-reply`)).json).toMatchObject({
    type: 'ApproveReply',
    object: held.url,
    actor: `${site.url}/accounts/ada`
  })
})

test('a comment as others read it: HTML with its Markdown as source, a tombstone after its end', async () => {
  const { id, url } = (await say(bob, video.uuid, '**Bold** <b>html</b>')).json.comment
  const { json } = await get(url)
  expect(json).toMatchObject({
    type: 'Note',
    id: url,
    attributedTo: `${site.url}/accounts/bob`,
    inReplyTo: watchUrl(video.uuid),
    source: { content: '**Bold** <b>html</b>', mediaType: 'text/markdown' },
    to: ['https://www.w3.org/ns/activitystreams#Public'],
    tag: [{ type: 'Mention', href: `${site.url}/accounts/ada` }]
  })
  expect(json.content).toContain('<strong>Bold</strong>')
  expect(json.content).not.toContain('<b>')
  expect((await get(`${url}/activity`)).json).toMatchObject({ type: 'Create', actor: `${site.url}/accounts/bob`, object: { id: url } })
  await site.call(`DELETE /videos/${video.uuid}/comments/${id}`, { token: bob.token })
  expect((await get(url)).json).toMatchObject({ type: 'Tombstone', formerType: 'Note', id: url, deleted: expect.any(String) })
})

test('comments from elsewhere appear, are edited and deleted by their author, and sent on to followers', async () => {
  const [alice, mallory] = [await hostile.actor('alice'), await hostile.actor('mallory')]
  const follower = await startHostilePeer()
  const carol = await follower.actor('carol')
  const group = await startHostilePeer()
  const lemmy = await group.actor('reader')
  await group.post(`${site.url}/inbox`, {
    type: 'Follow',
    id: group.id('follow'),
    actor: lemmy.url,
    object: `${site.url}/video-channels/ada_channel`
  })
  await follower.post(`${site.url}/inbox`, {
    type: 'Follow',
    id: follower.id('follow'),
    actor: carol.url,
    object: `${site.url}/accounts/ada`
  })
  const before = (await threads(video.uuid)).total
  const activity = note(alice, watchUrl(video.uuid))
  await post(activity)
  await done()
  const [thread] = (await threads(video.uuid)).data
  expect(thread).toMatchObject({ url: activity.object.id, text: '<p>Hello</p>', account: { name: 'alice', host: hostile.host } })
  expect((await threads(video.uuid)).total).toBe(before + 1)
  const sent = await eventually(async () => follower.received.find(({ raw }) => raw.includes(activity.object.id)), 10, 'the forwarding')
  expect(JSON.parse(sent!.raw)).toEqual(activity)

  // FEP-1b12: those who take the channel for a group hear of it from the group.
  const announced = await eventually(
    async () => group.received.find(({ activity: { type } }) => type === 'Announce')?.activity,
    10,
    'the group’s Announce'
  )
  expect(announced).toMatchObject({
    actor: `${site.url}/video-channels/ada_channel`,
    to: ['https://www.w3.org/ns/activitystreams#Public'],
    object: { type: 'Create', id: activity.id, actor: alice.url, object: { id: activity.object.id, inReplyTo: watchUrl(video.uuid) } }
  })
  expect(follower.received.some(({ activity: { type, object } }) => type === 'Announce' && object.type === 'Create')).toBe(false)

  const edit = (actor: HostileActor, content: string) => ({
    type: 'Update',
    id: hostile.id('update'),
    actor: actor.url,
    object: { ...activity.object, content, updated: new Date(Date.now() + 1).toISOString() }
  })
  await post(edit(mallory, 'Stolen'))
  await post(edit(alice, '<p>Edited</p>'))
  await eventually(async () => (await threads(video.uuid)).data[0].text === '<p>Edited</p>', 10, 'the edit')
  await post({ type: 'Delete', id: hostile.id('delete'), actor: mallory.url, object: activity.object.id })
  await done()
  expect((await threads(video.uuid)).data[0].isDeleted).toBe(false)
  await post({ type: 'Delete', id: hostile.id('delete'), actor: alice.url, object: { type: 'Tombstone', id: activity.object.id } })
  await eventually(async () => (await threads(video.uuid)).data[0].isDeleted, 10, 'the end')
  // 4.29: what was deleted does not come back with an old message.
  await post({ ...activity, id: hostile.id('again') })
  await done()
  expect((await threads(video.uuid)).data[0].isDeleted).toBe(true)
  // What is said below a private video stays here, and so does what is said below one that became private.
  for (const { uuid } of [secret, video]) {
    if (uuid === video.uuid) await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 3 } })
    expect((await say(ada, uuid, 'Between us')).status).toBe(200)
  }
  await site.call(`PUT /videos/${video.uuid}`, { token: ada.token, body: { privacy: 1 } })
  await say(ada, video.uuid, 'For all')
  await eventually(async () => follower.received.some(({ raw }) => raw.includes('For all')), 10, 'what is for all')
  expect(follower.received.some(({ raw }) => raw.includes('Between us') || raw.includes(secret.uuid))).toBe(false)
  expect(
    group.received.filter(({ activity: { type } }) => type === 'Announce').map(({ activity: { object } }) => object.type ?? 'Video')
  ).toEqual(expect.arrayContaining(['Create', 'Update', 'Delete']))
  expect(group.received.some(({ raw }) => raw.includes('Between us'))).toBe(false)
  await Promise.all([follower.stop(), group.stop()])
})

test('a remote comment on a video with approval waits, and its author is told when it is welcome', async () => {
  const dora = await hostile.actor('dora')
  const activity = note(dora, watchUrl(strict.uuid))
  await post(activity)
  await done()
  const [held] = (await site.call('GET /users/me/videos/comments?isHeldForReview=true', { token: ada.token })).json.data
  expect(held.url).toBe(activity.object.id)
  expect((await threads(strict.uuid)).data.some((one: { id: number }) => one.id === held.id)).toBe(false)
  await site.call(`POST /videos/${strict.uuid}/comments/${held.id}/approve`, { token: ada.token })
  const approval = await eventually(async () => hostile.received.find(one => one.activity.type === 'ApproveReply'), 10, 'the approval')
  expect(approval).toMatchObject({
    path: new URL(dora.inbox).pathname,
    activity: { actor: `${site.url}/accounts/ada`, object: activity.object.id, inReplyTo: watchUrl(strict.uuid) }
  })
  expect((await get(approval!.activity.id)).json).toMatchObject({ type: 'ApproveReply', object: activity.object.id })
  expect((await threads(strict.uuid)).data.some((one: { id: number }) => one.id === held.id)).toBe(true)
})

test('notes that are none, belong to others, go round in circles or carry scripts', async () => {
  const eve = await hostile.actor('eve')
  const before = (await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM comments`))[0]!.count
  const url = watchUrl(video.uuid)
  const [ring, round] = [hostile.id('ring'), hostile.id('round')]
  for (const [one, other] of [
    [ring, round],
    [round, ring]
  ])
    hostile.serve(new URL(one!).pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...note(eve, other).object, id: one! })
  const bad = [
    note(eve, watchUrl(secret.uuid)),
    note(eve, watchUrl(closed.uuid)),
    note(eve, ring),
    note(eve, `${site.url}/videos/watch/nothing`),
    note(eve, url, { attributedTo: `${site.url}/accounts/ada` }),
    note(eve, url, { to: [eve.url] }),
    note(eve, url, { content: '' }),
    note(eve, url, { content: '<script>alert(1)</script>' }),
    note(eve, url, { content: 5 }),
    note(eve, url, { published: 'never' }),
    note(eve, null),
    note(eve, url, { id: `${site.url}/notes/1` }),
    note(eve, 'x'.repeat(5000))
  ]
  for (const activity of bad) await post(activity)
  await done()
  expect((await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM comments`))[0]!.count).toBe(before)
  await post(
    note(eve, url, {
      content: '<p onclick="x()">Hi <a href="javascript:alert(1)">you</a><img src=x onerror=alert(1)><svg onload=alert(1)></p>'
    })
  )
  await done()
  const [{ id, text, html }] = (await threads(video.uuid)).data
  expect(text).toContain('Hi')
  expect(text + html).not.toMatch(/onclick|javascript:|<img|<svg|onerror/)
  // Whatever may lie in the database, nothing leaves unclean; what a local person writes is Markdown, in which HTML is only words.
  await runQuery(sql`UPDATE comments SET text = ${'<p>Hi<img src=x onerror=alert(1)></p><iframe></iframe>'} WHERE id = ${id}`)
  expect((await threads(video.uuid)).data[0].html).toBe('<p>Hi</p>')
  expect((await say(bob, video.uuid, '<b onclick=x()>bold</b> [a](javascript:alert(1))')).json.comment.html).toBe(
    '<p>&lt;b onclick=x()&gt;bold&lt;/b&gt; [a](javascript:alert(1))</p>'
  )
})

test('what lies between a comment and its video is fetched, once each', async () => {
  const frank = await hostile.actor('frank')
  const parents = Array.from({ length: 3 }, () => hostile.id('note'))
  parents.forEach((id, index) =>
    hostile.serve(new URL(id).pathname, {
      '@context': 'https://www.w3.org/ns/activitystreams',
      ...note(frank, parents[index + 1] ?? watchUrl(video.uuid), { content: `<p>Step ${index}</p>` }).object,
      id,
      url: id
    })
  )
  await post(note(frank, parents[0], { content: '<p>At last</p>' }))
  await done()
  const [thread] = (await threads(video.uuid)).data.filter((one: { text: string }) => one.text === '<p>Step 2</p>')
  expect((await tree(video.uuid, thread.id)).children[0]!.children[0]!.children[0]!.comment.text).toBe('<p>At last</p>')
})

test('a crowd that talks at once: each comment stands once, in its place, counted and sent on, and the unusual ones go their way', async () => {
  const crowd = await uploadVideo(site, ada, { name: 'Crowded' })
  await waitForTranscoding(site, ada, crowd.uuid)
  const people = await Promise.all(Array.from({ length: 8 }, async (_, number) => await hostile.actor(`crowd${number}`)))
  const watcher = await hostile.actor('watcher')
  const far = await startHostilePeer()
  const listener = await far.actor('listener')
  await far.post(`${site.url}/inbox`, { type: 'Follow', id: far.id('follow'), actor: listener.url, object: `${site.url}/accounts/ada` })
  await post(note(watcher, watchUrl(crowd.uuid), { content: '<p>First</p>' }))
  for (const person of people) await post(note(person, watchUrl(closed.uuid)))
  await done()
  const [first] = await runQuery<{ id: number; url: string }>(sql`SELECT id, url FROM comments WHERE video_id = ${crowd.id}`)
  const notes = people.flatMap(person =>
    Array.from({ length: 6 }, (_, number) =>
      note(person, number % 2 ? first!.url : watchUrl(crowd.uuid), {
        content: number === 5 ? '<p onclick="x()">Hi<script>y()</script></p>' : '<p>Hi</p>'
      })
    )
  )
  const answer = note(people[0]!, notes[0]!.object.id, { content: '<p>To one of them</p>' })
  const buried = note(people[1]!, watchUrl(crowd.uuid), { content: '<p>Deleted before</p>' })
  await runQuery(sql`INSERT INTO tombstones (url) VALUES (${buried.object.id})`)
  const foreign = note(people[2]!, watchUrl(crowd.uuid), { attributedTo: watcher.url })
  const unwelcome = [
    note(people[3]!, watchUrl(closed.uuid)),
    note(people[4]!, watchUrl(secret.uuid)),
    note(people[5]!, `${site.url}/nothing`),
    note(people[6]!, watchUrl(crowd.uuid), { to: [], cc: [] })
  ]
  const statuses = await Promise.all(
    [...notes, answer, buried, foreign, ...unwelcome, ...notes.slice(0, 5)].map(async one => (await post(one)).status)
  )
  expect(new Set(statuses)).toEqual(new Set([202]))
  await done()
  const rows = await runQuery<{ url: string; thread_id: number | null; text: string; remote: boolean }>(
    sql`SELECT url, thread_id, text, remote FROM comments WHERE video_id = ${crowd.id} AND id <> ${first!.id}`
  )
  const standing = [...notes, answer].map(({ object }) => object.id).sort()
  expect(rows.map(({ url }) => url).sort()).toEqual(standing)
  for (const { object } of notes)
    expect(rows.find(({ url }) => url === object.id)!.thread_id).toBe(object.inReplyTo === first!.url ? first!.id : null)
  expect(new Set(rows.map(({ text }) => text.replace(/\s/g, '')))).toEqual(new Set(['<p>Hi</p>', '<p>Tooneofthem</p>']))
  expect((await site.call(`GET /videos/${crowd.uuid}`)).json.comments).toBe(standing.length + 1)
  const heard = () => far.received.map(({ activity }) => activity.object?.id as string | undefined)
  await eventually(async () => standing.every(url => heard().includes(url)), 30, 'all to be sent on')
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM deliveries WHERE host = ${far.host}`)).length === 0, 10, 'the rest')
  const sentOn = heard()
  for (const url of standing)
    expect(
      sentOn.filter(one => one === url),
      url
    ).toHaveLength(1)
  expect(sentOn).not.toContain(buried.object.id)
  await far.stop()
}, 120_000)
