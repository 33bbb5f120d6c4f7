import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortUuid } from '../../shared/short-uuid.ts'
import { runQuery, sql } from '../core/sql.ts'
import { ensureBuilt } from '../test/ensure-built.ts'
import { startTestInstance, type TestInstance, type TestResponse } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

type Playlist = { id: number; uuid: string; shortUUID: string }
const NAME = 'A "list" <script>alert(1)</script>'

let site: TestInstance
let token: string
let videos: { id: number; uuid: string }[]
let hiddenVideo: { id: number; uuid: string }
let playlists: Record<'open' | 'unlisted' | 'hidden', Playlist>

beforeAll(async () => {
  await ensureBuilt()
  site = await startTestInstance({ thumbnails: { width: 280, height: 157 } }, ['web'])
  const ada = await site.user('ada')
  token = ada.token
  videos = [await seedVideo({ channelId: ada.channelId }), await seedVideo({ channelId: ada.channelId })]
  hiddenVideo = await seedVideo({ channelId: ada.channelId, privacy: 3 })
  await runQuery(sql`UPDATE videos SET name = 'First' WHERE id = ${videos[0]!.id}`)
  await runQuery(sql`UPDATE videos SET name = 'Second' WHERE id = ${videos[1]!.id}`)
  await runQuery(sql`UPDATE videos SET name = 'Secret' WHERE id = ${hiddenVideo.id}`)
  const create = async (privacy: number): Promise<Playlist> =>
    (
      await site.call('POST /video-playlists', {
        token,
        body: { displayName: NAME, description: 'Of *wheels* <b>here</b>', privacy, videoChannelId: ada.channelId }
      })
    ).json.videoPlaylist
  playlists = { open: await create(1), unlisted: await create(2), hidden: await create(3) }
  for (const { uuid } of Object.values(playlists))
    for (const { id } of [videos[1]!, hiddenVideo, videos[0]!])
      await site.call(`POST /video-playlists/${uuid}/videos`, { token, body: { videoId: id } })
  await runQuery(sql`
    INSERT INTO thumbnails (playlist_id, kind, filename, width, height, automatic, created_at, updated_at)
    VALUES (${playlists.open.id}, 'thumbnail', 'list.jpg', 280, 157, false, now(), now())`)
})
afterAll(async () => await site?.stop())

const getPage = async (path: string, accept = 'text/html') => await site.call(`GET /${path}`, { headers: { accept } })
const redirectTarget = async (path: string) => {
  const { status, headers } = await getPage(path)
  return status === 301 || status === 302 ? headers.get('location') : status
}
const requestOembed = async (path: string): Promise<TestResponse> =>
  await site.call(`GET //services/oembed?url=${encodeURIComponent(site.url + path)}`)

test("every form of a playlist's URL redirects to the short one and keeps the query", async () => {
  const { id, uuid, shortUUID } = playlists.open
  for (const path of [
    `/w/p/${uuid}`,
    `/w/p/${uuid.toUpperCase()}`,
    `/w/p/${id}`,
    `/videos/watch/playlist/${uuid}`,
    `/videos/watch/playlist/${shortUUID}`,
    `/video-playlists/${uuid}`,
    `/my-library/video-playlists/${uuid}`
  ])
    expect([path, await redirectTarget(path)]).toEqual([path, `/w/p/${shortUUID}`])
  expect(await redirectTarget(`/videos/watch/playlist/${uuid}?playlistPosition=2`)).toBe(`/w/p/${shortUUID}?playlistPosition=2`)
  expect(await redirectTarget(`/w/p/${shortUUID}`)).toBe(200)
  for (const path of ['/w/p/%2F%2Fevil.example', '/video-playlists/%2F%2Fevil.example', '/videos/watch/playlist/..%2f..']) {
    const target = await redirectTarget(path)
    if (typeof target === 'string') expect(target).toMatch(/^\/w\/p\/[^/]/)
    else expect([200, 404]).toContain(target)
  }
})

test('the page has title, owner, videos in their order and what other sites need, as recorded', async () => {
  const { uuid, shortUUID } = playlists.open
  const { status, text } = await getPage(`/w/p/${shortUUID}`)
  expect(status).toBe(200)
  expect(text).not.toContain('<script>alert')
  expect(text).not.toContain('Secret')
  expect(text).toContain('href="/c/ada_channel"')
  expect([...text.matchAll(/href="\/w\/p\/[^"]+playlistPosition=(\d)">([^<]+)/g)].map(([, position, name]) => [position, name])).toEqual([
    ['1', 'Second'],
    ['3', 'First']
  ])
  const [url, embed, image] = [
    `${site.url}/w/p/${shortUUID}`,
    `${site.url}/video-playlists/embed/${uuid}`,
    `${site.url}/lazy-static/thumbnails/list.jpg`
  ]
  for (const [name, content] of [
    ['og:platform', 'PeerTube'],
    ['og:type', 'video'],
    ['og:title', 'A &#34;list&#34; &#60;script&#62;alert(1)&#60;/script&#62;'],
    ['og:image', image],
    ['og:url', url],
    ['og:video:url', embed],
    ['og:video:secure_url', embed],
    ['og:video:type', 'text/html'],
    ['og:video:width', '560'],
    ['og:video:height', '315']
  ])
    expect(text).toContain(`<meta property="${name}" content="${content}">`)
  for (const [name, content] of [
    ['twitter:card', 'player'],
    ['twitter:player', embed],
    ['twitter:image', image]
  ])
    expect(text).toContain(`<meta name="${name}" content="${content}">`)
  expect(text).toContain(`<link rel="canonical" href="${url}">`)
  expect(text).toContain(`type="application/json+oembed" href="${site.url}/services/oembed?url=${encodeURIComponent(url)}`)
  expect(JSON.parse(/ld\+json">(.*?)<\/script>/s.exec(text)![1]!)).toMatchObject({
    '@type': 'ItemList',
    name: NAME,
    url,
    embedUrl: embed,
    numberOfItems: 3,
    image,
    thumbnailUrl: image
  })
})

test('what the page contains is what the API answers', async () => {
  for (const path of [`/w/p/${playlists.open.shortUUID}`, `/video-playlists/embed/${playlists.open.uuid}`]) {
    const { answers } = JSON.parse(
      /<script type="application\/json" id="bobine-data">(.*?)<\/script>/s.exec((await getPage(path)).text)![1]!
    ) as { answers: Record<string, unknown> }
    const contained = Object.entries(answers).filter(([address]) => address.startsWith('/api/v1/video-playlists/'))
    expect(contained).toHaveLength(2)
    for (const [address, answer] of contained) expect((await site.call(`GET ${address.replace('/api/v1', '')}`)).json).toEqual(answer)
  }
})

test('only the player can be framed', async () => {
  const embed = await getPage(`/video-playlists/embed/${playlists.open.shortUUID}`)
  expect([embed.status, embed.headers.get('x-frame-options')]).toEqual([200, null])
  expect(embed.text).toContain('<meta name="robots" content="noindex">')
  expect((await getPage(`/w/p/${playlists.open.shortUUID}`)).headers.get('x-frame-options')).toBe('DENY')
})

test('an unlisted playlist is found by its UUID and not indexed; a private one and a missing one are the same to everyone else', async () => {
  const { unlisted, hidden } = playlists
  const page = await getPage(`/w/p/${unlisted.shortUUID}`)
  expect([page.status, page.text.includes('content="noindex"'), page.text.includes('rel="canonical"')]).toEqual([200, true, false])
  expect((await getPage(`/w/p/${unlisted.id}`)).status).toBe(404)
  const missing = '9c9de5e8-0a1e-484a-b099-e80766180a6d'
  for (const base of ['/w/p/', '/video-playlists/embed/']) {
    const answers = [hidden.uuid, missing].map(uuid => shortUuid(uuid))
    const [closed, absent] = await Promise.all(answers.map(async id => await getPage(base + id)))
    expect([closed!.status, absent!.status]).toEqual([404, 404])
    expect(closed!.text.replaceAll(answers[0]!, '')).toBe(absent!.text.replaceAll(answers[1]!, ''))
    expect(closed!.text).not.toContain('list&#34;')
  }
  for (const path of [`/w/p/${hidden.id}`, '/w/p/999999', '/w/p/nonsense', '/w/p/%00', `/w/p/${'x'.repeat(3000)}`])
    expect([path.slice(0, 20), (await getPage(path)).status]).toEqual([path.slice(0, 20), 404])
})

test('oEmbed describes a playlist at each of its addresses', async () => {
  const { uuid, shortUUID } = playlists.open
  for (const path of [
    `/w/p/${shortUUID}`,
    `/w/p/${uuid}`,
    `/videos/watch/playlist/${uuid}`,
    `/video-playlists/${uuid}`,
    `/video-playlists/embed/${uuid}`
  ])
    expect((await requestOembed(path)).json).toEqual({
      type: 'video',
      version: '1.0',
      title: NAME,
      width: 560,
      height: 315,
      html: `<iframe title="A &#34;list&#34; &#60;script&#62;alert(1)&#60;/script&#62;" width="560" height="315" src="${site.url}/video-playlists/embed/${uuid}" frameborder="0" allowfullscreen loading="lazy"></iframe>`,
      author_name: 'Main ada channel',
      author_url: `${site.url}/c/ada_channel`,
      provider_name: expect.any(String),
      provider_url: site.url,
      thumbnail_url: `${site.url}/lazy-static/thumbnails/list.jpg`,
      thumbnail_width: 280,
      thumbnail_height: 157
    })
  expect((await requestOembed(`/w/p/${shortUUID}?playlistPosition=2&subtitle=fr&autoplay=1&playlistPosition=%22`)).json.html).toContain(
    `embed/${uuid}?playlistPosition=2&#38;subtitle=fr"`
  )
  expect((await requestOembed(`/w/p/${playlists.unlisted.uuid}`)).status).toBe(200)
  for (const [path, status] of [
    [`/w/p/${playlists.unlisted.id}`, 404],
    [`/w/p/${playlists.hidden.uuid}`, 403],
    ['/w/p/9c9de5e8-0a1e-484a-b099-e80766180a6d', 404],
    ['/w/p/nonsense', 400]
  ] as const) {
    const answer = await requestOembed(path)
    expect([path, answer.status, answer.text.includes('script')]).toEqual([path, status, false])
  }
})

test('other servers still get the document at these addresses', async () => {
  for (const path of [`/w/p/${playlists.open.uuid}`, `/video-playlists/${playlists.open.uuid}`])
    expect((await getPage(path, 'application/activity+json')).json).toMatchObject({ type: 'Playlist', totalItems: 2 })
  expect((await getPage(`/w/p/${playlists.hidden.uuid}`, 'application/activity+json')).status).toBe(404)
})
