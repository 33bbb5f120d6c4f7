import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CommentTree } from '../../shared/comments.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'
import { seedVideo } from '../test/seed-video.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
type Json = { [key: string]: any }

let site: TestInstance
let owner: Awaited<ReturnType<TestInstance['user']>>
let peer: HostilePeer
let author: HostileActor
let other: HostileActor
/** A local video of its own for each test. */
let video: { id: number; uuid: string; url: string }

beforeAll(async () => {
  site = await startTestInstance()
  owner = await site.user('owner')
  peer = await startHostilePeer()
  author = await peer.actor('author')
  other = await peer.actor('other')
  await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: author.url, object: `${site.url}/accounts/owner` })
  await eventually(async () => peer.received.some(({ activity }) => activity.type === 'Accept'), 20, 'the Accept')
}, 60_000)
afterAll(async () => {
  await peer?.stop()
  await site?.stop()
})
beforeEach(async () => {
  const { id, uuid } = await seedVideo({ channelId: owner.channelId })
  video = { id, uuid, url: `${site.url}/videos/watch/${uuid}` }
  await runQuery(sql`UPDATE videos SET url = ${video.url} WHERE id = ${id}`)
})

const noteOf = (overrides: Json = {}, actor = author): Json => {
  const id = peer.id('notes')
  const note = {
    type: 'Note',
    id,
    url: `${id}.html`,
    attributedTo: actor.url,
    inReplyTo: video.url,
    content: '<p>Hello</p>',
    published: '2026-11-01T00:00:00Z',
    to: [PUBLIC],
    cc: [],
    ...overrides
  }
  peer.serve(new URL(id).pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...note })
  return note
}
const send = async (type: string, object: unknown, overrides: Json = {}, actor = author) => {
  const activity = { type, id: peer.id(), actor: actor.url, to: [PUBLIC], object, ...overrides }
  expect((await peer.post(`${site.url}/inbox`, activity)).status).toBe(202)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')
}
const listThreads = async (): Promise<Json[]> => (await site.call(`GET /videos/${video.uuid}/comment-threads`)).json.data
const getThread = async (id: number): Promise<CommentTree> => (await site.call(`GET /videos/${video.uuid}/comment-threads/${id}`)).json

test.each<[string, Json, Json]>([
  ['a map of languages alone', { content: undefined, contentMap: { fr: '<p>Salut</p>' } }, { html: '<p>Salut</p>' }],
  ['a text with a language', { content: { '@value': '<p>Salut</p>', '@language': 'fr' } }, { html: '<p>Salut</p>' }],
  ['HTML', { content: '<p>One <b>two</b></p><script>x()</script>' }, { text: '<p>One two</p>', html: '<p>One two</p>' }],
  [
    'Markdown, as PeerTube writes it',
    { content: 'One **two** <b>three</b>', mediaType: 'text/markdown' },
    { text: 'One **two** <b>three</b>', html: '<p>One <strong>two</strong> &lt;b&gt;three&lt;/b&gt;</p>' }
  ],
  [
    'Markdown and an attachment',
    { content: '_One_', mediaType: 'text/markdown', attachment: 'https://x.example/1' },
    {
      text: '_One_',
      html: '<p><em>One</em></p>',
      attachments: [{ url: 'https://x.example/1', mediaType: null, name: null, thumbnailPath: null }]
    }
  ],
  ['a warning', { summary: 'Spoiler' }, { html: '<p>Hello</p>', summary: 'Spoiler' }],
  ['a warning in a language', { summaryMap: { fr: 'Fin' } }, { summary: 'Fin' }],
  ['no date', { published: undefined }, { html: '<p>Hello</p>' }],
  ['a date that is none', { published: 'never', updated: 5 }, { html: '<p>Hello</p>' }],
  ...['-200000-01-01T00:00:00Z', '0000-01-01T00:00:00Z', '-004800-01-01T00:00:00Z'].map((date): [string, Json, Json] => [
    `the date ${date}`,
    { published: date, updated: date },
    { html: '<p>Hello</p>' }
  ]),
  ['HTML in its warning', { summary: '<p>Spoiler &amp; <b>mo</b>re</p><p>x<br/>y</p>' }, { summary: 'Spoiler & more x y' }],
  ['angle brackets in its warning', { summary: 'I <3 this, 1 < 2 > 0' }, { summary: 'I <3 this, 1 < 2 > 0' }],
  ['a list of types', { type: ['x:Toot', 'Note'] }, { html: '<p>Hello</p>' }],
  [
    'only a picture',
    { content: '', attachment: { type: 'Document', mediaType: 'image/png', url: 'https://x.example/1.png', name: 'A cat' } },
    {
      html: '',
      attachments: [
        {
          url: 'https://x.example/1.png',
          mediaType: 'image/png',
          name: 'A cat',
          thumbnailPath: expect.stringMatching(/^\/lazy-static\/.*\.png$/)
        }
      ]
    }
  ],
  [
    'attachments of several kinds',
    {
      attachment: [
        { type: 'Video', mediaType: 'video/mp4', url: [{ type: 'Link', href: 'https://x.example/1.mp4' }] },
        { type: 'Link', href: 'https://x.example/page' },
        'https://x.example/string',
        { type: 'Document', url: 'javascript:alert(1)' }
      ]
    },
    {
      attachments: [
        { url: 'https://x.example/1.mp4', mediaType: 'video/mp4', name: null, thumbnailPath: null },
        { url: 'https://x.example/page', mediaType: null, name: null, thumbnailPath: null },
        { url: 'https://x.example/string', mediaType: null, name: null, thumbnailPath: null }
      ]
    }
  ]
])('a Note with %s', async (_what, overrides, expected) => {
  const before = Date.now()
  const note = noteOf(overrides)
  await send('Create', note)
  const [comment] = await listThreads()
  expect(comment).toMatchObject({ url: note.id, summary: null, attachments: [], ...expected })
  if (!String(note.published).startsWith('2026-')) expect(Date.parse(comment!.createdAt)).toBeGreaterThanOrEqual(before)
  // A second delivery without a time of change is no edit.
  await send('Update', note)
  expect(await listThreads()).toEqual([comment])
})

test.each<[string, Json, RegExp]>([
  [
    'Article',
    { name: 'My <b>view</b>', content: '<p>Long</p>'.repeat(10_000), summary: '<p>An excerpt of it</p>' },
    /^<p><a href="URL"[^>]*>My &lt;b&gt;view&lt;\/b&gt;<\/a><\/p>$/
  ],
  ['Page', { content: '<p>First line</p><p>More</p>' }, /^<p><a href="URL"[^>]*>First line<\/a><\/p>$/],
  ['Question', { content: '<p>Better?</p>', oneOf: [] }, /^<p>Better\?<\/p><p><a href="URL"[^>]*>URL<\/a><\/p>$/],
  ['Question', { name: 'Better?', content: undefined }, /^<p><a href="URL"[^>]*>Better\?<\/a><\/p>$/]
])('a reply that is a %s is its title and a link', async (type, overrides, html) => {
  const note = noteOf({ type, ...overrides })
  await send('Create', note)
  const [comment] = await listThreads()
  expect(comment!.html.replaceAll(note.url, 'URL')).toMatch(html)
  expect(comment!.summary).toBeNull()
})

test.each([
  ['a link', `<p>${'x'.repeat(9970)}<a href="https://x.example/long-long-long">y</a></p>`],
  ['an entity', `<p>${'x'.repeat(9994)}&amp;&amp;</p>`],
  ['a character', `<p>${'x'.repeat(9996)}\u{1f600}</p>`],
  ['many tags', '<blockquote>'.repeat(40) + 'x'.repeat(10_000)]
])('a long text that is cut within %s stays whole HTML, and a Question keeps its link', async (_what, content) => {
  const note = noteOf({ type: 'Question', content, oneOf: [] })
  await send('Create', note)
  const { html } = (await listThreads())[0]!
  expect(html.replaceAll(note.url, 'URL')).toMatch(/(<\/p>|<\/blockquote>)<p><a href="URL"[^>]*>URL<\/a><\/p>$/)
  expect(html).not.toMatch(/&(?!amp;)|[\ud800-\udbff](?![\udc00-\udfff])|\ufffd/)
  const count = (tag: RegExp) => html.match(tag)?.length ?? 0
  expect([count(/<p>/g), count(/<a /g), count(/<blockquote>/g)]).toEqual([count(/<\/p>/g), count(/<\/a>/g), count(/<\/blockquote>/g)])
})

test('a comment is of the one of those it is attributed to who sent it, or who is no group', async () => {
  const group = await peer.actor('group', 'Group', { attributedTo: [{ type: 'Person', id: author.url }] })
  const parent = noteOf({ attributedTo: [group.url, other.url] })
  const sent = noteOf({ attributedTo: [group.url, author.url] })
  await send('Create', sent)
  await send('Create', noteOf({ inReplyTo: parent.id }))
  expect((await listThreads()).map(({ url, account }) => [url, account.name]).sort()).toEqual(
    [
      [sent.url.replace('.html', ''), 'author'],
      [parent.id, 'other']
    ].sort()
  )
  await send('Update', { ...sent, content: 'By the group', updated: '2026-11-02T00:00:00Z' }, { actor: group.url }, group)
  await send('Update', { ...sent, to: [], updated: '2026-11-02T00:00:00Z' }, { actor: group.url }, group)
  expect((await listThreads()).map(({ html, isDeleted }) => [html, isDeleted])).toEqual([
    ['<p>Hello</p>', false],
    ['<p>Hello</p>', false]
  ])
})

test('pictures come through the cache, while their comment is shown', async () => {
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64')
  peer.serve('/1.png', (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(png))
  const note = noteOf({ attachment: [{ type: 'Image', mediaType: 'image/png', url: `${peer.url}/1.png` }] })
  await send('Create', note)
  const path = `GET /${(await listThreads())[0]!.attachments[0].thumbnailPath}`
  expect((await site.call(path)).status).toBe(200)
  await runQuery(sql`UPDATE comments SET held = true WHERE url = ${note.id}`)
  expect((await site.call(path)).status).toBe(404)
  await runQuery(sql`UPDATE comments SET held = false WHERE url = ${note.id}`)
  await runQuery(sql`INSERT INTO blocked_accounts (actor_id) SELECT id FROM actors WHERE url = ${author.url}`)
  expect((await site.call(path)).status).toBe(404)
  await runQuery(sql`DELETE FROM blocked_accounts`)
  expect((await site.call(path)).status).toBe(200)
  await send('Delete', note.id)
  expect((await site.call(path)).status).toBe(404)
  expect(await listThreads()).toMatchObject([{ isDeleted: true, summary: null, attachments: [] }])
})

test('an Update changes warning and attachments', async () => {
  const note = noteOf({ summary: 'Spoiler', attachment: [{ type: 'Link', href: 'https://x.example/1' }] })
  await send('Create', note)
  await send('Update', { ...note, summary: null, attachment: [], content: 'Edited', updated: '2026-11-02T00:00:00Z' })
  expect(await listThreads()).toMatchObject([{ html: 'Edited', summary: null, attachments: [] }])
})

test.each([{ published: '2026-11-01T00:00:00Z' }, { published: undefined }, { updated: '2026-11-01T12:00:00Z' }])(
  'an Update that has the time of what is stored (%j) is taken, another Create of that time is not',
  async times => {
    const note = noteOf(times)
    await send('Create', note)
    for (const change of [
      { content: '<p>Edited</p>' },
      { summary: 'Careful' },
      { attachment: [{ type: 'Link', href: 'https://x.example/1' }] }
    ]) {
      const edited = { ...note, ...change }
      peer.serve(new URL(note.id).pathname, edited)
      await send('Update', edited)
      const [comment] = await listThreads()
      expect(comment).toMatchObject({
        html: edited.content,
        summary: 'summary' in change ? 'Careful' : null,
        attachments: 'attachment' in change ? [{ url: 'https://x.example/1' }] : []
      })
      await send('Create', note)
      expect(await listThreads()).toEqual([comment])
    }
  }
)

test('where two versions of a comment have the same time, its origin says which one it is', async () => {
  const note = noteOf()
  await send('Create', note)
  peer.serve(new URL(note.id).pathname, { ...note, content: '<p>Now</p>' })
  await send('Update', { ...note, content: '<p>Then</p>' })
  await eventually(async () => (await listThreads())[0]!.html === '<p>Now</p>', 10, 'the answer of the origin')
  // An older version changes nothing, whatever it says.
  await send('Update', { ...note, content: '<p>Before</p>', updated: '2026-10-01T00:00:00Z' })
  expect(await listThreads()).toMatchObject([{ html: '<p>Now</p>' }])
})

test('inReplyTo may be a list, of which one leads to the video', async () => {
  const parent = noteOf()
  for (const inReplyTo of [
    [video.url],
    [`${peer.url}/nothing`, video.url],
    [{ type: 'Video', id: video.url }],
    [`${peer.url}/nothing`, parent.id]
  ])
    await send('Create', noteOf({ inReplyTo }))
  const threads = await listThreads()
  expect(threads.map(({ totalReplies }) => totalReplies).sort()).toEqual([0, 0, 0, 1])
  await send('Create', noteOf({ inReplyTo: Array.from({ length: 1000 }, (_, index) => `${peer.url}/nothing/${index}`) }))
  expect(await listThreads()).toHaveLength(4)
})

test('an Update that narrows the audience hides the text, by the author alone', async () => {
  const note = noteOf({ summary: 'Secret warning', attachment: [{ type: 'Link', href: 'https://x.example/secret' }] })
  await send('Create', note)
  await send('Create', noteOf({ inReplyTo: note.id }, other), {}, other)
  const narrowed = { ...note, to: [`${author.url}/followers`], updated: '2026-11-02T00:00:00Z' }
  await send('Update', narrowed, { to: [`${author.url}/followers`] }, other)
  expect(await listThreads()).toMatchObject([{ isDeleted: false }])
  await send('Update', { ...narrowed, updated: '2026-10-01T00:00:00Z' })
  expect(await listThreads()).toMatchObject([{ isDeleted: false }])
  peer.serve(new URL(note.id).pathname, narrowed)
  await send('Update', narrowed, { to: [`${author.url}/followers`] })
  const threads = await listThreads()
  expect(threads).toMatchObject([{ isDeleted: true, text: '', html: '', summary: null, attachments: [], totalReplies: 1 }])
  await send('Create', note, { id: peer.id() })
  expect(await listThreads()).toEqual(threads)
})

test('an Update that narrows the audience may come before the Create, by the author alone', async () => {
  const [note, shown] = [noteOf(), noteOf()]
  const to = [`${author.url}/followers`]
  for (const { id } of [note, shown]) peer.refuse(new URL(id).pathname, 404)
  await send('Update', { ...shown, to, updated: '2026-11-02T00:00:00Z' }, { to }, other)
  await send('Update', { ...note, to, updated: '2026-11-02T00:00:00Z' }, { to })
  await send('Create', note)
  await send('Create', shown)
  expect(await listThreads()).toMatchObject([{ url: shown.id }])
  // Its origin shows it again.
  peer.serve(new URL(note.id).pathname, note)
  await send('Update', { ...note, updated: '2026-11-03T00:00:00Z' })
  expect(await listThreads()).toHaveLength(2)
})

test('narrowing Updates of comments that were never here leave nothing of servers without a follow', async () => {
  const stranger = await startHostilePeer()
  const { url: actor } = await stranger.actor('stranger')
  const to = [`${actor}/followers`]
  const note = { type: 'Note', id: stranger.id('notes'), attributedTo: actor, inReplyTo: video.url, content: '<p>Hello</p>', to }
  expect((await stranger.post(`${site.url}/inbox`, { type: 'Update', id: stranger.id(), actor, to, object: note })).status).toBe(202)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')
  expect(await runQuery(sql`SELECT url FROM tombstones WHERE starts_with(url, ${stranger.url})`)).toEqual([])
  await stranger.stop()
})

test('a comment that its author narrowed comes back when it is public again, one that was deleted does not', async () => {
  const notes = [noteOf(), noteOf(), noteOf(), noteOf()]
  const [back, deleted, hiddenByOrigin, moderated] = notes as [Json, Json, Json, Json]
  const change = async (note: Json, changes: Json, served = changes) => {
    peer.serve(new URL(note.id).pathname, { ...note, ...served })
    await send('Update', { ...note, ...changes })
  }
  const narrowed = { to: [], updated: '2026-11-02T00:00:00Z' }
  const widened = { updated: '2026-11-03T00:00:00Z' }
  for (const note of notes) await send('Create', note)
  const { id } = (await listThreads()).find(({ url }) => url === moderated.id)!
  expect((await site.call(`DELETE /videos/${video.uuid}/comments/${id}`, { token: owner.token })).status).toBe(204)
  for (const note of notes) await change(note, narrowed)
  await send('Delete', deleted.id)
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(0)
  for (const note of notes) await change(note, widened, note === hiddenByOrigin ? narrowed : widened)
  expect((await listThreads()).filter(({ isDeleted }) => !isDeleted)).toMatchObject([{ url: back.id, html: '<p>Hello</p>' }])
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(1)
  await change(back, narrowed, widened)
  expect((await listThreads()).filter(({ isDeleted }) => !isDeleted)).toHaveLength(1)
  await change(back, { ...narrowed, updated: '2026-11-04T00:00:00Z' })
  expect((await listThreads()).filter(({ isDeleted }) => !isDeleted)).toEqual([])
})

test('a held comment that comes back is held again', async () => {
  await runQuery(sql`UPDATE videos SET comments_policy = 3 WHERE id = ${video.id}`)
  const note = noteOf()
  await send('Create', note)
  await send('Update', { ...note, to: [], updated: '2026-11-02T00:00:00Z' })
  await send('Update', { ...note, updated: '2026-11-03T00:00:00Z' })
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(0)
  expect(await runQuery(sql`SELECT held, deleted_at FROM comments WHERE url = ${note.id}`)).toEqual([{ held: true, deleted_at: null }])
})

test('an object that names nobody is for whom its activity is', async () => {
  await send('Create', noteOf({ to: undefined, cc: undefined }))
  await send('Create', noteOf({ to: undefined, cc: undefined }), { to: [`${author.url}/followers`] })
  await send('Create', noteOf({ to: [], cc: [] }))
  expect(await listThreads()).toHaveLength(1)
})

test('replies below a deleted parent stay with the video', async () => {
  const parent = noteOf()
  await send('Create', parent)
  await send('Delete', { type: 'Tombstone', id: parent.id })
  const reply = noteOf({ inReplyTo: parent.id }, other)
  await send('Create', reply, {}, other)
  const [thread] = await listThreads()
  expect(await getThread(thread!.id)).toMatchObject({ comment: { isDeleted: true }, children: [{ comment: { url: reply.id } }] })
  expect((await site.call(`GET /videos/${video.uuid}`)).json.comments).toBe(1)
})

test('replies below a parent that was deleted before it came here stay with the video, where its Tombstone tells', async () => {
  const id = peer.id('notes')
  peer.serve(new URL(id).pathname, { type: 'Tombstone', formerType: 'Note', id, inReplyTo: video.url })
  const reply = noteOf({ inReplyTo: id })
  await send('Create', reply)
  expect(await listThreads()).toMatchObject([{ url: reply.id }])
})

test.each<[string, Json, string, number[]]>([
  ['a Like', {}, 'Like', [1, 0]],
  ['a Like with a heart', { content: '❤️' }, 'Like', [1, 0]],
  ['a Like with a thumb down', { content: '👎' }, 'Like', [0, 1]],
  ['a Like with a thumb down of some skin', { content: '👎🏽' }, 'Like', [0, 1]],
  ['a Like with the name of a thumb down', { content: ':thumbsdown:', _misskey_reaction: ':thumbsdown:' }, 'Like', [0, 1]],
  ['a Like with an emoji of a server that is called thumb down', { content: ':ThumbsDown@x.example:' }, 'Like', [0, 1]],
  ['a Like with a colon and more', { content: ':thumbsdown: or not' }, 'Like', [1, 0]],
  ['an EmojiReact with the name of a thumb up', { content: ':+1:' }, 'EmojiReact', [1, 0]],
  ['an EmojiReact with the name of something else', { content: ':fox:' }, 'EmojiReact', [0, 0]],
  ['an EmojiReact with a thumb down', { content: '👎' }, 'EmojiReact', [0, 1]],
  ['an EmojiReact with a thumb up of some skin', { content: '👍🏿' }, 'EmojiReact', [1, 0]],
  ['an EmojiReact with something else', { content: '🦊' }, 'EmojiReact', [0, 0]]
])('%s counts as what it means, and is undone', async (_what, more, type, counts) => {
  const count = async () => {
    const { likes, dislikes } = (await site.call(`GET /videos/${video.uuid}`)).json
    return [likes, dislikes]
  }
  const id = peer.id('reactions')
  await send(type, video.url, { id, ...more })
  expect(await count()).toEqual(counts)
  await send('Undo', { type, id, actor: author.url, object: video.url, ...more })
  expect(await count()).toEqual([0, 0])
})
