import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'

type User = { id: number; token: string; channelId: number }
type ThreadTree = { comment: { id: number; text: string; isDeleted: boolean; account: { name: string } | null }; children: ThreadTree[] }

let site: TestInstance
let hostile: HostilePeer
let root: string
let ada: User
let bob: User
let video: { id: number; uuid: string }
let approvalVideo: { id: number; uuid: string }
let closedVideo: { id: number; uuid: string }
let privateVideo: { id: number; uuid: string }
beforeAll(async () => {
  ;[site, hostile] = await Promise.all([
    startTestInstance({ internals: { outbox: { checkInterval: 300, retryDelay: 200 } } }),
    startHostilePeer()
  ])
  root = await site.login()
  ada = await site.user('ada')
  bob = await site.user('bob')
  video = await uploadVideo(site, ada)
  approvalVideo = await uploadVideo(site, ada, { commentsPolicy: 3 })
  closedVideo = await uploadVideo(site, ada, { commentsPolicy: 2 })
  privateVideo = await uploadVideo(site, ada, { privacy: 3 })
  for (const { uuid } of [video, approvalVideo, closedVideo, privateVideo]) await waitForTranscoding(site, ada, uuid)
}, 180_000)
afterAll(async () => {
  await Promise.all([site.stop(), hostile.stop()])
})

const listThreads = async (uuid: string, token?: string) =>
  (await site.call(`GET /videos/${uuid}/comment-threads`, token ? { token } : {})).json
const postComment = async (user: { token: string }, uuid: string, text: string, parent?: number) =>
  await site.call(`POST /videos/${uuid}/${parent === undefined ? 'comment-threads' : `comments/${parent}`}`, {
    token: user.token,
    body: { text }
  })
const getThread = async (uuid: string, id: number): Promise<ThreadTree> =>
  (await site.call(`GET /videos/${uuid}/comment-threads/${id}`)).json
const watchUrl = (uuid: string) => `${site.url}/videos/watch/${uuid}`
const createNote = (actor: HostileActor, inReplyTo: unknown, more: object = {}) => {
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
const deliver = async (activity: object) => await hostile.post(`${site.url}/inbox`, activity as never)
const waitForProcessing = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 10, 'the processing')
const fetchActivityPub = async (url: string) => await hostile.get(url, { headers: { accept: 'application/activity+json' } })

test('threads, replies, counts, and a deleted comment that keeps its replies', async () => {
  const first = (await postComment(bob, video.uuid, '  First **one**  ')).json.comment
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
  const reply = (await postComment(ada, video.uuid, 'Thanks', first.id)).json.comment
  expect(reply).toMatchObject({ threadId: first.id, inReplyToCommentId: first.id })
  await postComment(bob, video.uuid, 'You are welcome', reply.id)
  const second = (await postComment(bob, video.uuid, 'Second')).json.comment
  expect(await listThreads(video.uuid)).toMatchObject({
    total: 2,
    totalNotDeletedComments: 4,
    data: [{ id: second.id }, { id: first.id, totalReplies: 2, totalRepliesFromVideoAuthor: 1 }]
  })
  expect((await site.call(`GET /videos/${video.uuid}/comment-threads?sort=-totalReplies&count=1`)).json.data[0].id).toBe(first.id)
  expect((await getThread(video.uuid, first.id)).children[0]!.children[0]!.comment.text).toBe('You are welcome')
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(4)

  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${reply.id}`, { token: bob.token })).status).toBe(403)
  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${first.id}`, { token: ada.token })).status).toBe(204)
  expect(await getThread(video.uuid, first.id)).toMatchObject({
    comment: { text: '', isDeleted: true, account: null, deletedAt: expect.any(String) },
    children: [{ comment: { text: 'Thanks' } }]
  })
  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${first.id}`, { token: ada.token })).status).toBe(409)
  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${second.id}`, { token: root })).status).toBe(204)
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(2)
})

test('refuses empty comments, missing parents, closed and private videos, and anonymous users', async () => {
  for (const text of ['', '   ', 'x'.repeat(10_001), 5, null]) expect((await postComment(bob, video.uuid, text as string)).status).toBe(400)
  expect((await postComment(bob, video.uuid, 'x', 99_999)).status).toBe(404)
  expect((await postComment(bob, closedVideo.uuid, 'x')).status).toBe(409)
  expect((await postComment(bob, privateVideo.uuid, 'x')).status).toBe(403)
  expect((await site.call(`POST /videos/${video.uuid}/comment-threads`, { body: { text: 'x' } })).status).toBe(401)
  expect((await site.call(`GET /videos/${privateVideo.uuid}/comment-threads`)).status).toBe(401)
  expect((await site.call(`GET /videos/${video.uuid}/comment-threads/99999`)).status).toBe(404)
})

test('a held comment is visible to its author, the owner and moderators until it is approved', async () => {
  const held = (await postComment(bob, approvalVideo.uuid, 'May I?')).json.comment
  expect(held.heldForReview).toBe(true)
  expect((await postComment(ada, approvalVideo.uuid, 'I may')).json.comment.heldForReview).toBe(false)
  expect((await listThreads(approvalVideo.uuid)).total).toBe(1)
  for (const token of [bob.token, ada.token, root]) expect((await listThreads(approvalVideo.uuid, token)).total).toBe(2)
  expect((await fetchActivityPub(held.url)).status).toBe(404)
  expect((await fetchActivityPub(`${held.url}/activity`)).status).toBe(404)
  expect((await fetchActivityPub(`${watchUrl(approvalVideo.uuid)}/comments`)).json.totalItems).toBe(1)
  expect((await site.call('GET /users/me/videos/comments?isHeldForReview=true', { token: ada.token })).json).toMatchObject({
    total: 1,
    data: [{ id: held.id }]
  })
  expect((await site.call(`POST /videos/${approvalVideo.uuid}/comments/${held.id}/approve`, { token: bob.token })).status).toBe(403)
  expect((await site.call(`POST /videos/${approvalVideo.uuid}/comments/${held.id}/approve`, { token: ada.token })).status).toBe(204)
  expect((await site.call(`POST /videos/${approvalVideo.uuid}/comments/${held.id}/approve`, { token: ada.token })).status).toBe(400)
  expect((await listThreads(approvalVideo.uuid)).total).toBe(2)
  expect((await fetchActivityPub(held.url)).json).toMatchObject({ type: 'Note', replyApproval: `${held.url}/approve-reply` })
  expect((await fetchActivityPub(`${held.url}/approve-reply`)).json).toMatchObject({
    type: 'ApproveReply',
    object: held.url,
    actor: `${site.url}/accounts/ada`
  })

  const withdrawn = (await postComment(bob, approvalVideo.uuid, 'Never mind')).json.comment
  await site.call(`DELETE /videos/${approvalVideo.uuid}/comments/${withdrawn.id}`, { token: bob.token })
  const late = await site.call(`POST /videos/${approvalVideo.uuid}/comments/${withdrawn.id}/approve`, { token: ada.token })
  expect([late.status, late.json.detail]).toEqual([409, 'This comment is already deleted'])
})

test('serves a comment as a Note with HTML and Markdown source, and a Tombstone after its deletion', async () => {
  const { id, url } = (await postComment(bob, video.uuid, '**Bold** <b>html</b>')).json.comment
  const { json } = await fetchActivityPub(url)
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
  expect((await fetchActivityPub(`${url}/activity`)).json).toMatchObject({
    type: 'Create',
    actor: `${site.url}/accounts/bob`,
    object: { id: url }
  })
  await site.call(`DELETE /videos/${video.uuid}/comments/${id}`, { token: bob.token })
  expect((await fetchActivityPub(url)).json).toMatchObject({ type: 'Tombstone', formerType: 'Note', id: url, deleted: expect.any(String) })
})

test('remote comments appear, are edited and deleted by their author only, and are forwarded to followers', async () => {
  const [alice, mallory] = [await hostile.actor('alice'), await hostile.actor('mallory')]
  const follower = await startHostilePeer()
  const carol = await follower.actor('carol')
  const group = await startHostilePeer()
  const groupReader = await group.actor('reader')
  await group.post(`${site.url}/inbox`, {
    type: 'Follow',
    id: group.id('follow'),
    actor: groupReader.url,
    object: `${site.url}/video-channels/ada_channel`
  })
  await follower.post(`${site.url}/inbox`, {
    type: 'Follow',
    id: follower.id('follow'),
    actor: carol.url,
    object: `${site.url}/accounts/ada`
  })
  const before = (await listThreads(video.uuid)).total
  const activity = createNote(alice, watchUrl(video.uuid))
  await deliver(activity)
  await waitForProcessing()
  const [thread] = (await listThreads(video.uuid)).data
  expect(thread).toMatchObject({ url: activity.object.id, text: '<p>Hello</p>', account: { name: 'alice', host: hostile.host } })
  expect((await listThreads(video.uuid)).total).toBe(before + 1)
  const sent = await eventually(async () => follower.received.find(({ raw }) => raw.includes(activity.object.id)), 10, 'the forwarding')
  expect(JSON.parse(sent!.raw)).toEqual(activity)

  // FEP-1b12: servers that follow the channel as a group receive an Announce of it.
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

  const updateOf = (actor: HostileActor, content: string) => ({
    type: 'Update',
    id: hostile.id('update'),
    actor: actor.url,
    object: { ...activity.object, content, updated: new Date(Date.now() + 1).toISOString() }
  })
  await deliver(updateOf(mallory, 'Stolen'))
  await deliver(updateOf(alice, '<p>Edited</p>'))
  await eventually(async () => (await listThreads(video.uuid)).data[0].text === '<p>Edited</p>', 10, 'the edit')
  await deliver({ type: 'Delete', id: hostile.id('delete'), actor: mallory.url, object: activity.object.id })
  await waitForProcessing()
  expect((await listThreads(video.uuid)).data[0].isDeleted).toBe(false)
  await deliver({ type: 'Delete', id: hostile.id('delete'), actor: alice.url, object: { type: 'Tombstone', id: activity.object.id } })
  await eventually(async () => (await listThreads(video.uuid)).data[0].isDeleted, 10, 'the end')
  // docs/federation.md#forwarded-activities: an old activity does not restore a deleted comment.
  await deliver({ ...activity, id: hostile.id('again') })
  await waitForProcessing()
  expect((await listThreads(video.uuid)).data[0].isDeleted).toBe(true)
  // Comments below a private video are not federated, nor are those below a video that became private.
  for (const { uuid } of [privateVideo, video]) {
    if (uuid === video.uuid) await site.call(`PUT /videos/${uuid}`, { token: ada.token, body: { privacy: 3 } })
    expect((await postComment(ada, uuid, 'Between us')).status).toBe(200)
  }
  await site.call(`PUT /videos/${video.uuid}`, { token: ada.token, body: { privacy: 1 } })
  await postComment(ada, video.uuid, 'For all')
  await eventually(async () => follower.received.some(({ raw }) => raw.includes('For all')), 10, 'what is for all')
  expect(follower.received.some(({ raw }) => raw.includes('Between us') || raw.includes(privateVideo.uuid))).toBe(false)
  expect(
    group.received.filter(({ activity: { type } }) => type === 'Announce').map(({ activity: { object } }) => object.type ?? 'Video')
  ).toEqual(expect.arrayContaining(['Create', 'Update', 'Delete']))
  expect(group.received.some(({ raw }) => raw.includes('Between us'))).toBe(false)
  await Promise.all([follower.stop(), group.stop()])
})

test('a remote comment on a video with approval is held, and its author receives the approval', async () => {
  const dora = await hostile.actor('dora')
  const activity = createNote(dora, watchUrl(approvalVideo.uuid))
  await deliver(activity)
  await waitForProcessing()
  const [held] = (await site.call('GET /users/me/videos/comments?isHeldForReview=true', { token: ada.token })).json.data
  expect(held.url).toBe(activity.object.id)
  expect((await listThreads(approvalVideo.uuid)).data.some((one: { id: number }) => one.id === held.id)).toBe(false)
  await site.call(`POST /videos/${approvalVideo.uuid}/comments/${held.id}/approve`, { token: ada.token })
  const approval = await eventually(async () => hostile.received.find(one => one.activity.type === 'ApproveReply'), 10, 'the approval')
  expect(approval).toMatchObject({
    path: new URL(dora.inbox).pathname,
    activity: { actor: `${site.url}/accounts/ada`, object: activity.object.id, inReplyTo: watchUrl(approvalVideo.uuid) }
  })
  expect((await fetchActivityPub(approval!.activity.id)).json).toMatchObject({ type: 'ApproveReply', object: activity.object.id })
  expect((await listThreads(approvalVideo.uuid)).data.some((one: { id: number }) => one.id === held.id)).toBe(true)
})

test('ignores malformed, forged and circular notes, and sanitises scripts', async () => {
  const eve = await hostile.actor('eve')
  const before = (await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM comments`))[0]!.count
  const url = watchUrl(video.uuid)
  const [cycleStart, cycleEnd] = [hostile.id('ring'), hostile.id('round')]
  for (const [one, other] of [
    [cycleStart, cycleEnd],
    [cycleEnd, cycleStart]
  ])
    hostile.serve(new URL(one!).pathname, {
      '@context': 'https://www.w3.org/ns/activitystreams',
      ...createNote(eve, other).object,
      id: one!
    })
  const ignoredNotes = [
    createNote(eve, watchUrl(privateVideo.uuid)),
    createNote(eve, watchUrl(closedVideo.uuid)),
    createNote(eve, cycleStart),
    createNote(eve, `${site.url}/videos/watch/nothing`),
    createNote(eve, url, { attributedTo: `${site.url}/accounts/ada` }),
    createNote(eve, url, { to: [eve.url] }),
    createNote(eve, url, { content: '' }),
    createNote(eve, url, { content: '<script>alert(1)</script>' }),
    createNote(eve, url, { content: 5 }),
    createNote(eve, null),
    createNote(eve, url, { id: `${site.url}/notes/1` }),
    createNote(eve, 'x'.repeat(5000))
  ]
  for (const activity of ignoredNotes) await deliver(activity)
  await waitForProcessing()
  expect((await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM comments`))[0]!.count).toBe(before)
  await deliver(
    createNote(eve, url, {
      content: '<p onclick="x()">Hi <a href="javascript:alert(1)">you</a><img src=x onerror=alert(1)><svg onload=alert(1)></p>'
    })
  )
  await waitForProcessing()
  const [{ id, text, html }] = (await listThreads(video.uuid)).data
  expect(text).toContain('Hi')
  expect(text + html).not.toMatch(/onclick|javascript:|<img|<svg|onerror/)
  // Whatever the database contains, the output is clean; local comments are Markdown, in which HTML is plain text.
  await runQuery(sql`UPDATE comments SET text = ${'<p>Hi<img src=x onerror=alert(1)></p><iframe></iframe>'} WHERE id = ${id}`)
  expect((await listThreads(video.uuid)).data[0].html).toBe('<p>Hi</p>')
  expect((await postComment(bob, video.uuid, '<b onclick=x()>bold</b> [a](javascript:alert(1))')).json.comment.html).toBe(
    '<p>&lt;b onclick=x()&gt;bold&lt;/b&gt; [a](javascript:alert(1))</p>'
  )
})

test('fetches the missing parents of a comment, each once', async () => {
  const frank = await hostile.actor('frank')
  const parents = Array.from({ length: 3 }, () => hostile.id('note'))
  parents.forEach((id, index) =>
    hostile.serve(new URL(id).pathname, {
      '@context': 'https://www.w3.org/ns/activitystreams',
      ...createNote(frank, parents[index + 1] ?? watchUrl(video.uuid), { content: `<p>Step ${index}</p>` }).object,
      id,
      url: id
    })
  )
  await deliver(createNote(frank, parents[0], { content: '<p>At last</p>' }))
  await waitForProcessing()
  const [thread] = (await listThreads(video.uuid)).data.filter((one: { text: string }) => one.text === '<p>Step 2</p>')
  expect((await getThread(video.uuid, thread.id)).children[0]!.children[0]!.children[0]!.comment.text).toBe('<p>At last</p>')
})

test('many comments at once are each stored once below the right parent, counted and forwarded', async () => {
  const busyVideo = await uploadVideo(site, ada, { name: 'Crowded' })
  await waitForTranscoding(site, ada, busyVideo.uuid)
  const commenters = await Promise.all(Array.from({ length: 8 }, async (_, number) => await hostile.actor(`crowd${number}`)))
  const watcher = await hostile.actor('watcher')
  const remotePeer = await startHostilePeer()
  const remoteFollower = await remotePeer.actor('listener')
  await remotePeer.post(`${site.url}/inbox`, {
    type: 'Follow',
    id: remotePeer.id('follow'),
    actor: remoteFollower.url,
    object: `${site.url}/accounts/ada`
  })
  await deliver(createNote(watcher, watchUrl(busyVideo.uuid), { content: '<p>First</p>' }))
  for (const commenter of commenters) await deliver(createNote(commenter, watchUrl(closedVideo.uuid)))
  await waitForProcessing()
  const [first] = await runQuery<{ id: number; url: string }>(sql`SELECT id, url FROM comments WHERE video_id = ${busyVideo.id}`)
  const notes = commenters.flatMap(commenter =>
    Array.from({ length: 6 }, (_, number) =>
      createNote(commenter, number % 2 ? first!.url : watchUrl(busyVideo.uuid), {
        content: number === 5 ? '<p onclick="x()">Hi<script>y()</script></p>' : '<p>Hi</p>'
      })
    )
  )
  const replyNote = createNote(commenters[0]!, notes[0]!.object.id, { content: '<p>To one of them</p>' })
  const tombstonedNote = createNote(commenters[1]!, watchUrl(busyVideo.uuid), { content: '<p>Deleted before</p>' })
  await runQuery(sql`INSERT INTO tombstones (url) VALUES (${tombstonedNote.object.id})`)
  const forgedNote = createNote(commenters[2]!, watchUrl(busyVideo.uuid), { attributedTo: watcher.url })
  const rejectedNotes = [
    createNote(commenters[3]!, watchUrl(closedVideo.uuid)),
    createNote(commenters[4]!, watchUrl(privateVideo.uuid)),
    createNote(commenters[5]!, `${site.url}/nothing`),
    createNote(commenters[6]!, watchUrl(busyVideo.uuid), { to: [], cc: [] })
  ]
  const statuses = await Promise.all(
    [...notes, replyNote, tombstonedNote, forgedNote, ...rejectedNotes, ...notes.slice(0, 5)].map(async one => (await deliver(one)).status)
  )
  expect(new Set(statuses)).toEqual(new Set([202]))
  await waitForProcessing()
  const rows = await runQuery<{ url: string; thread_id: number | null; text: string; remote: boolean }>(
    sql`SELECT url, thread_id, text, remote FROM comments WHERE video_id = ${busyVideo.id} AND id <> ${first!.id}`
  )
  const expectedUrls = [...notes, replyNote].map(({ object }) => object.id).sort()
  expect(rows.map(({ url }) => url).sort()).toEqual(expectedUrls)
  for (const { object } of notes)
    expect(rows.find(({ url }) => url === object.id)!.thread_id).toBe(object.inReplyTo === first!.url ? first!.id : null)
  expect(new Set(rows.map(({ text }) => text.replace(/\s/g, '')))).toEqual(new Set(['<p>Hi</p>', '<p>Tooneofthem</p>']))
  expect((await site.call(`GET /videos/${busyVideo.uuid}`)).json.comments).toBe(expectedUrls.length + 1)
  const forwardedIds = () => remotePeer.received.map(({ activity }) => activity.object?.id as string | undefined)
  await eventually(async () => expectedUrls.every(url => forwardedIds().includes(url)), 30, 'all to be sent on')
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM deliveries WHERE host = ${remotePeer.host}`)).length === 0, 10, 'the rest')
  const forwarded = forwardedIds()
  for (const url of expectedUrls)
    expect(
      forwarded.filter(one => one === url),
      url
    ).toHaveLength(1)
  expect(forwarded).not.toContain(tombstonedNote.object.id)
  await remotePeer.stop()
}, 120_000)

test('comments of accounts and servers that a user or the instance blocked disappear, and come back', async () => {
  const carol = await site.user('carol')
  const { uuid } = await seedVideo({ channelId: ada.channelId })
  await runQuery(sql`UPDATE videos SET url = ${watchUrl(uuid)} WHERE uuid = ${uuid}`)
  const writer = await hostile.actor('writer')
  const first = (await postComment(carol, uuid, 'From Carol')).json.comment
  const answer = (await postComment(bob, uuid, 'From Bob', first.id)).json.comment
  const note = createNote(writer, answer.url, { content: '<p>From far</p>' })
  await deliver(note)
  await waitForProcessing()
  const far = (await getThread(uuid, first.id)).children[0]!.children[0]!.comment
  await postComment(carol, uuid, 'Thanks, far one', far.id)
  await deliver(createNote(writer, watchUrl(uuid)))
  await waitForProcessing()

  /** What a viewer sees: threads, the count, the replies that the list counts, the texts of the first thread, and the video's count. */
  const seenBy = async (token?: string) => {
    const { total, totalNotDeletedComments, data } = await listThreads(uuid, token)
    const tree = await site.call(`GET /videos/${uuid}/comment-threads/${first.id}`, token ? { token } : {})
    const textsOf = ({ comment, children }: ThreadTree): string[] => [comment.text, ...children.flatMap(textsOf)]
    return {
      threads: total,
      comments: totalNotDeletedComments,
      replies: data.find(({ id }: { id: number }) => id === first.id)?.totalReplies,
      texts: tree.status === 200 ? textsOf(tree.json) : tree.status
    }
  }
  const all = { threads: 2, comments: 5, replies: 3, texts: ['From Carol', 'From Bob', '<p>From far</p>', 'Thanks, far one'] }
  const withoutFar = { threads: 1, comments: 3, replies: 2, texts: ['From Carol', 'From Bob', 'Thanks, far one'] }
  const withoutBob = { threads: 2, comments: 4, replies: 2, texts: ['From Carol', '<p>From far</p>', 'Thanks, far one'] }
  const withoutCarol = { threads: 1, comments: 1, replies: undefined, texts: 404 }
  const readers = [undefined, root, ada.token, bob.token]
  const countOf = async () => (await site.call(`GET /videos/${uuid}`)).json.comments
  const onOwnVideos = async () =>
    (await site.call('GET /users/me/videos/comments?count=100', { token: ada.token })).json.data.filter(
      ({ videoId }: { videoId: number }) => videoId === first.videoId
    ).length
  for (const reader of readers) expect(await seenBy(reader)).toEqual(all)

  const farAccount = { accountName: `writer@${hostile.host}` }
  const blocks: [string, object, string, object][] = [
    ['accounts', farAccount, farAccount.accountName, withoutFar],
    ['servers', { host: hostile.host }, hostile.host, withoutFar],
    ['accounts', { accountName: 'bob' }, 'bob', withoutBob],
    ['accounts', { accountName: 'carol' }, 'carol', withoutCarol]
  ]
  for (const [kind, body, name, expected] of blocks) {
    expect((await site.call(`POST /users/me/blocklist/${kind}`, { token: ada.token, body })).status).toBe(204)
    expect(await seenBy(ada.token)).toEqual(expected)
    expect(await onOwnVideos()).toBe(5 - (name === 'bob' ? 1 : 2))
    for (const reader of [undefined, root, bob.token]) expect(await seenBy(reader)).toEqual(all)
    expect((await site.call(`DELETE /users/me/blocklist/${kind}/${name}`, { token: ada.token })).status).toBe(204)
    expect(await seenBy(ada.token)).toEqual(all)

    expect((await site.call(`POST /server/blocklist/${kind}`, { token: root, body })).status).toBe(204)
    for (const reader of readers) expect(await seenBy(reader)).toEqual(expected)
    const listed = (await fetchActivityPub(`${watchUrl(uuid)}/comments`)).json
    expect([listed.totalItems, await countOf()]).toEqual([(expected as typeof all).comments, 5 - (name === 'bob' ? 1 : 2)])
    expect((await site.call(`DELETE /server/blocklist/${kind}/${name}`, { token: root })).status).toBe(204)
    for (const reader of readers) expect(await seenBy(reader)).toEqual(all)
    expect([await countOf(), await onOwnVideos()]).toEqual([5, 5])
  }
  // What a blocked account deletes was not counted.
  await site.call('POST /server/blocklist/accounts', { token: root, body: { accountName: 'bob' } })
  await site.call(`DELETE /videos/${uuid}/comments/${answer.id}`, { token: bob.token })
  expect(await countOf()).toBe(4)
  await site.call('DELETE /server/blocklist/accounts/bob', { token: root })
  expect(await countOf()).toBe(4)
})

test('videos and comments have a collection of their replies, without what others may not see', async () => {
  const { uuid } = await seedVideo({ channelId: ada.channelId })
  await runQuery(sql`UPDATE videos SET url = ${watchUrl(uuid)} WHERE uuid = ${uuid}`)
  const first = (await postComment(bob, uuid, 'First')).json.comment
  const second = (await postComment(ada, uuid, 'Second')).json.comment
  const reply = (await postComment(ada, uuid, 'Reply', first.id)).json.comment
  const deep = (await postComment(bob, uuid, 'Deep', reply.id)).json.comment
  const held = (await postComment(bob, uuid, 'Held')).json.comment
  await runQuery(sql`UPDATE comments SET held = true WHERE id = ${held.id}`)
  const video = (await fetchActivityPub(watchUrl(uuid))).json
  const note = (await fetchActivityPub(first.url)).json
  expect([video.replies, note.replies]).toEqual([`${watchUrl(uuid)}/replies`, `${first.url}/replies`])
  const itemsOf = async (url: string) => {
    const collection = (await fetchActivityPub(url)).json
    expect(collection).toMatchObject({ type: 'OrderedCollection', id: url })
    return collection.first ? (await fetchActivityPub(collection.first)).json.orderedItems : []
  }
  expect(await itemsOf(video.replies)).toEqual([second.url, first.url])
  expect(await itemsOf(note.replies)).toEqual([reply.url])
  expect(await itemsOf(`${reply.url}/replies`)).toEqual([deep.url])
  expect((await fetchActivityPub(`${held.url}/replies`)).status).toBe(404)
  // Replies below a deleted comment and of a blocked author.
  await site.call(`DELETE /videos/${uuid}/comments/${first.id}`, { token: bob.token })
  expect(await itemsOf(note.replies)).toEqual([reply.url])
  await site.call('POST /server/blocklist/accounts', { token: root, body: { accountName: 'bob' } })
  expect([await itemsOf(video.replies), await itemsOf(`${reply.url}/replies`)]).toEqual([[second.url], []])
  await site.call('DELETE /server/blocklist/accounts/bob', { token: root })
  await runQuery(sql`UPDATE videos SET privacy = 3 WHERE uuid = ${uuid}`)
  for (const url of [video.replies, second.url, `${second.url}/replies`, `${second.url}/activity`])
    expect((await fetchActivityPub(url)).status).toBe(404)
})
