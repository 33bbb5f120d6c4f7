import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostileActor, type HostilePeer } from '../test/hostile-peer.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
type Document = { [key: string]: any }

let site: TestInstance
let peer: HostilePeer
let ada: HostileActor
let bob: HostileActor
let streamer: HostileActor
let viewer: Awaited<ReturnType<TestInstance['user']>>

const inbox = () => `${site.url}/inbox`
/** Serves a document by an actor. */
const serve = (type: string, author: HostileActor, document: Document): Document => {
  const id = `${peer.url}/posts/${randomUUID()}`
  const served = {
    '@context': 'https://www.w3.org/ns/activitystreams',
    type,
    id,
    url: `${id}.html`,
    attributedTo: author.url,
    to: [PUBLIC],
    cc: [`${author.url}/followers`],
    published: '2026-11-01T00:00:00Z',
    ...document
  }
  peer.serve(new URL(id).pathname, served)
  return served
}
const file = (name: string) => `${peer.url}/media/${name}`
const search = async (url: string) =>
  (await site.call(`GET /search/videos?search=${encodeURIComponent(url)}`, { token: viewer.token })).json
const findByUrl = async (url: string) =>
  (await runQuery<{ uuid: string; name: string }>(sql`SELECT uuid, name FROM videos WHERE url = ${url}`))[0]
const isStored = async (url: string) => (await findByUrl(url)) !== undefined
const isProcessed = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')
const send = async (type: string, actor: HostileActor, object: unknown) => {
  const { status, text } = await peer.post(inbox(), { type, id: peer.id(), actor: actor.url, to: [PUBLIC], object })
  expect(status, text).toBeLessThan(300)
}
/** As Mastodon writes a post with a video. */
const noteWithVideo = (author: HostileActor, overrides: Document = {}) =>
  serve('Note', author, {
    content: '<p>A cat on a mat</p>',
    contentMap: { en: '<p>A cat on a mat</p>' },
    summary: null,
    sensitive: false,
    attachment: [
      {
        type: 'Document',
        mediaType: 'video/mp4',
        url: file('cat.mp4'),
        name: 'Cat',
        blurhash: 'x',
        focalPoint: [0, 0],
        width: 640,
        height: 360
      }
    ],
    tag: [{ type: 'Hashtag', href: `${peer.url}/tags/cats`, name: '#cats' }],
    replies: { type: 'Collection', id: `${author.url}/replies` },
    ...overrides
  })

beforeAll(async () => {
  site = await startTestInstance({ internals: { videos: { maxViewJump: 1000 } } })
  viewer = await site.user('viewer')
  peer = await startHostilePeer()
  ada = await peer.actor('ada', 'Person', { name: 'Ada' })
  bob = await peer.actor('bob')
  streamer = await peer.actor('streamer', 'Service')
}, 60_000)
afterAll(async () => {
  await peer?.stop()
  await site?.stop()
})

describe('the search by URL', () => {
  it.each<[string, () => Document, object, string]>([
    ['a note of Mastodon', () => noteWithVideo(ada), { name: 'A cat on a mat', duration: 0 }, 'cat.mp4'],
    [
      'a page of Lemmy with a link to a file',
      () =>
        serve('Page', ada, {
          name: 'A link to a film',
          cc: [],
          to: [`${peer.url}/c/films`, PUBLIC],
          audience: `${peer.url}/c/films`,
          content: '<p>Watch <strong>this</strong></p>',
          mediaType: 'text/html',
          source: { content: 'Watch **this**', mediaType: 'text/markdown' },
          attachment: [{ type: 'Link', href: file('film.webm') }],
          image: { type: 'Image', url: file('film.jpg') },
          sensitive: false,
          language: { identifier: 'en', name: 'English' }
        }),
      { name: 'A link to a film', previewPath: expect.stringMatching(/\.jpg$/) },
      'film.webm'
    ],
    [
      'an article of WordPress or NodeBB',
      () =>
        serve('Article', ada, {
          name: 'My trip',
          nameMap: { en: 'My trip' },
          summary: '<p>Short</p>',
          content: '<p>Long</p>',
          attachment: [
            { type: 'Image', url: file('1.webp'), mediaType: 'image/webp' },
            { type: 'Video', url: file('trip.mp4'), mediaType: 'video/mp4', duration: 'PT1M5S' }
          ]
        }),
      { name: 'My trip', duration: 65, nsfw: false },
      'trip.mp4'
    ],
    [
      'a sensitive note of Misskey or Pixelfed',
      () =>
        noteWithVideo(ada, {
          _misskey_content: 'x',
          summary: 'Blood',
          sensitive: true,
          content: 'x',
          attachment: [{ type: 'Video', mediaType: 'video/webm', url: file('red.webm'), name: null, sensitive: true }]
        }),
      { name: 'x', nsfw: true, nsfwSummary: 'Blood' },
      'red.webm'
    ],
    [
      'a plain Video (ActivityStreams Vocabulary, example 58)',
      () => serve('Video', ada, { name: 'Puppy Plays', url: file('puppy.mp4'), duration: 'PT2H', views: 3 }),
      { name: 'Puppy Plays', duration: 7200, views: 3 },
      'puppy.mp4'
    ],
    [
      'a Video with its files attached, of a service',
      () =>
        serve('Video', streamer, {
          name: 'Short',
          attachment: { type: 'Document', mediaType: 'video/mp4', url: file('short.mp4') },
          content: '<p>One<br>two</p>'
        }),
      { name: 'Short', description: 'One\ntwo' },
      'short.mp4'
    ],
    [
      'a Video of Loops with a caption and no name',
      () =>
        serve('Video', ada, {
          name: null,
          content: 'My caption',
          attachment: [{ type: 'Video', mediaType: 'video/mp4', url: file('loop.mp4'), duration: 'PT12S' }]
        }),
      { name: 'My caption', duration: 12 },
      'loop.mp4'
    ],
    [
      'a note with an empty `inReplyTo` and many pictures before the video',
      () =>
        noteWithVideo(ada, {
          inReplyTo: '',
          attachment: [
            ...Array.from({ length: 25 }, (_, index) => ({ type: 'Image', mediaType: 'image/png', url: file(`${index}.png`) })),
            { type: 'Document', mediaType: 'video/mp4', url: file('late.mp4') }
          ]
        }),
      { name: 'A cat on a mat' },
      'late.mp4'
    ]
  ])('takes %s', async (_what, create, expected, fileName) => {
    const document = create()
    const { data, total } = await search(document.id)
    expect(total).toBe(1)
    const { json } = await site.call(`GET /videos/${data[0].uuid}`)
    expect(json).toMatchObject({
      url: document.id,
      privacy: { id: 1 },
      files: [{ fileUrl: file(fileName), hasVideo: true, torrentUrl: '', torrentDownloadUrl: '', magnetUri: '' }],
      publishedAt: '2026-11-01T00:00:00.000Z',
      ...expected
    })
  })

  it('makes the default channel of an account, which is found and shown', async () => {
    const [{ uuid }] = (await search(noteWithVideo(ada).id)).data
    const { json } = await site.call(`GET /videos/${uuid}`)
    expect(json).toMatchObject({
      channel: { name: 'ada', host: peer.host, displayName: 'Ada', url: ada.url },
      account: { name: 'ada', host: peer.host, url: ada.url }
    })
    expect((await site.call(`GET /video-channels/ada@${peer.host}`)).json).toMatchObject({
      displayName: 'Ada',
      ownerAccount: { name: 'ada' }
    })
    const { json: videos } = await site.call(`GET /video-channels/ada@${peer.host}/videos`)
    expect(videos.data.map((video: any) => video.uuid)).toContain(uuid)
    expect((await site.call(`GET /accounts/ada@${peer.host}/videos`)).json.total).toBe(videos.total)
  })

  it('plays an HLS playlist alone, by the media type of RFC 8216', async () => {
    const document = serve('Video', ada, {
      name: 'Stream',
      url: [{ type: 'Link', mediaType: 'application/vnd.apple.mpegurl', href: file('stream.m3u8') }]
    })
    const [{ uuid }] = (await search(document.id)).data
    expect((await site.call(`GET /videos/${uuid}`)).json.streamingPlaylists).toMatchObject([
      { playlistUrl: file('stream.m3u8'), files: [] }
    ])
  })

  it('takes Public in `cc` as unlisted, and a date to come as now', async () => {
    const document = noteWithVideo(ada, { to: [`${ada.url}/followers`], cc: [PUBLIC], published: '2126-01-01T00:00:00Z' })
    const before = Date.now()
    await search(document.id)
    const { uuid } = (await findByUrl(document.id))!
    const { json } = await site.call(`GET /videos/${uuid}`)
    expect(json.privacy.id).toBe(2)
    expect(Date.parse(json.publishedAt)).toBeGreaterThanOrEqual(before)
    expect(Date.parse(json.publishedAt)).toBeLessThanOrEqual(Date.now())
  })

  it.each<[string, () => Document, string]>([
    ['has nothing that can be played', () => noteWithVideo(ada, { attachment: [] }), 'no_media'],
    [
      'has a film of a kind that browsers do not play',
      () => noteWithVideo(ada, { attachment: [{ mediaType: 'video/x-matroska', url: file('a.mkv') }] }),
      'no_media'
    ],
    [
      'is announced by Owncast when a stream begins',
      () => serve('Note', streamer, { content: 'Live!', attachment: [{ type: 'Image', url: file('1.png') }] }),
      'no_media'
    ],
    ['is for followers', () => noteWithVideo(ada, { to: [`${ada.url}/followers`], cc: [] }), 'not_public'],
    ['is a reply', () => noteWithVideo(ada, { inReplyTo: `${peer.url}/posts/1` }), 'reply'],
    ['is something else', () => serve('Event', ada, { name: 'Party' }), 'not_a_video'],
    ['is an account', () => ({ id: ada.url }), 'not_a_video'],
    ['does not exist', () => ({ id: `${peer.url}/nothing` }), 'not_found']
  ])('says why not: what %s', async (_what, create, refusal) => {
    const { id } = create()
    expect(await search(id)).toEqual({ total: 0, data: [], refusal })
    expect(await isStored(id)).toBe(false)
  })
})

describe('the posts of an account', () => {
  it('become videos once somebody follows it, and change and go as it says', async () => {
    const before = noteWithVideo(ada)
    await search(before.id)
    const unasked = noteWithVideo(ada)
    await peer.post(inbox(), { type: 'Follow', id: peer.id(), actor: ada.url, object: `${site.url}/accounts/peertube` })
    await send('Create', ada, unasked)
    await isProcessed()
    expect(await isStored(unasked.id)).toBe(false)

    expect(
      (await site.call('POST /users/me/subscriptions', { token: viewer.token, body: { uri: `ada@${peer.host}` } })).status
    ).toBeLessThan(300)
    const follow = await eventually(
      async () => peer.received.find(({ activity }) => activity.type === 'Follow' && activity.object === ada.url)?.activity,
      20,
      'the Follow'
    )
    await send('Accept', ada, follow)
    await isProcessed()

    const note = noteWithVideo(ada)
    await send('Create', ada, note)
    await eventually(async () => await isStored(note.id), 20, 'the video')
    const { json: subscribed } = await site.call('GET /users/me/subscriptions/videos', { token: viewer.token })
    expect(subscribed.data.map((video: any) => video.url)).toContain(note.id)
    const text = serve('Note', ada, { content: 'No video' })
    const reply = noteWithVideo(ada, { inReplyTo: `${peer.url}/posts/1` })
    await send('Create', ada, text)
    await send('Create', ada, reply)

    const edited = { ...note, content: '<p>Another title</p>', updated: '2026-11-02T00:00:00Z' }
    peer.serve(new URL(note.id).pathname, edited)
    await send('Update', bob, edited)
    await isProcessed()
    expect(await findByUrl(note.id)).toMatchObject({ name: 'A cat on a mat' })
    await send('Update', ada, edited)
    await eventually(async () => (await findByUrl(note.id))?.name === 'Another title', 20, 'the edit')
    await isProcessed()
    expect([await isStored(text.id), await isStored(reply.id)]).toEqual([false, false])

    peer.refuse(new URL(note.id).pathname, 404)
    await send('Delete', ada, { type: 'Tombstone', id: note.id })
    await eventually(async () => !(await isStored(note.id)), 20, 'the deletion')
  })

  it.each<[string, Document]>([
    ['is narrowed to followers', { to: ['https://x.example/followers'], cc: [] }],
    ['loses its video', { attachment: [] }]
  ])('leave nothing here when one %s', async (_what, change) => {
    const note = noteWithVideo(bob)
    const { uuid } = (await search(note.id)).data[0]
    await peer.post(inbox(), { type: 'Follow', id: peer.id(), actor: bob.url, object: `${site.url}/accounts/peertube` })
    const changed = { ...note, ...change, updated: '2026-11-02T00:00:00Z' }
    peer.serve(new URL(note.id).pathname, changed)
    await send('Update', bob, changed)
    await eventually(async () => (await site.call(`GET /videos/${uuid}`)).status === 404, 20, 'the removal')
  })

  it('are read from an outbox, without replies, boosts and posts without a video', async () => {
    const outbox = `${streamer.url}/outbox`
    const wanted = noteWithVideo(streamer)
    const boosted = noteWithVideo(bob)
    const others = [
      serve('Note', streamer, { content: 'x' }),
      noteWithVideo(streamer, { inReplyTo: wanted.id }),
      noteWithVideo(streamer, { to: [], cc: [] })
    ]
    peer.serve(new URL(outbox).pathname, {
      type: 'OrderedCollection',
      id: outbox,
      totalItems: 99,
      orderedItems: [
        { type: 'Announce', id: peer.id(), actor: streamer.url, object: boosted.id },
        // The wanted one last: the others were looked at when it is stored.
        ...[...others, wanted].map(object => ({ type: 'Create', id: peer.id(), actor: streamer.url, object }))
      ]
    })
    await search(noteWithVideo(streamer).id)
    await site.call(`GET /search/video-channels?search=${encodeURIComponent(`streamer@${peer.host}`)}`, { token: viewer.token })
    await eventually(async () => await isStored(wanted.id), 20, 'the video')
    expect(await isStored(boosted.id)).toBe(false)
    for (const { id } of others) expect(await isStored(id)).toBe(false)
  })
})
