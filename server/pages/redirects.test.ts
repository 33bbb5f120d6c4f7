import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortUuid } from '../../shared/short-uuid.ts'
import { runQuery, sql } from '../core/sql.ts'
import { ensureBuilt } from '../test/ensure-built.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

let site: TestInstance
let publicVideo: { id: number; uuid: string }
let unlisted: { id: number; uuid: string }
beforeAll(async () => {
  await ensureBuilt()
  site = await startTestInstance({}, ['web'])
  const { channelId } = await site.user('ada')
  publicVideo = await seedVideo({ channelId })
  unlisted = await seedVideo({ channelId, privacy: 2 })
  await runQuery(sql`UPDATE videos SET url = ${`${site.url}/videos/watch/`} || uuid, federated = true`)
})
afterAll(async () => await site?.stop())

const getPage = async (path: string, accept = 'text/html') => await site.call(`GET /${path}`, { headers: { accept } })
const redirectTarget = async (path: string) => {
  const { status, headers } = await getPage(path)
  return status === 301 || status === 302 ? headers.get('location') : status
}

test("every form of a video's URL redirects to the short one and keeps the query", async () => {
  const short = shortUuid(publicVideo.uuid)
  for (const path of [
    `/videos/watch/${publicVideo.uuid}`,
    `/videos/watch/${short}`,
    `/videos/${publicVideo.uuid}/watch`,
    `/w/${publicVideo.uuid}`,
    `/w/${publicVideo.uuid.toUpperCase()}`
  ])
    expect(await redirectTarget(path), path).toBe(`/w/${short}`)
  expect(await redirectTarget(`/videos/watch/${publicVideo.uuid}?start=1m&x=%26`)).toBe(`/w/${short}?start=1m&x=%26`)
  expect(await redirectTarget(`/w/${publicVideo.uuid}?start=5`)).toBe(`/w/${short}?start=5`)
  expect(await redirectTarget(`/w/${short}`)).toBe(200)
  expect(await redirectTarget(`/videos/update/${publicVideo.uuid}`)).toBe(`/my/videos/${short}`)
})

test("PeerTube's address of a thread, and a comment's own, lead to the comment on the page of the video", async () => {
  const short = shortUuid(publicVideo.uuid)
  for (const id of [publicVideo.uuid, short])
    expect(await redirectTarget(`/w/${id};threadId=17`)).toBe(`/w/${short}?threadId=17#comment-17`)
  expect(await redirectTarget(`/w/${short};threadId=17?start=5`)).toBe(`/w/${short}?threadId=17&start=5#comment-17`)
  for (const part of [';threadId=x', ';threadId=0', ';threadId=1;x', ';threadId=99999999999'])
    expect([part, await redirectTarget(`/w/${short}${part}`)]).toEqual([part, 404])
  const write = async (path: string, text: string) =>
    (await site.call(`POST /videos/${path}`, { token: await site.login('ada', 'password1'), body: { text } })).json.comment
  const thread = await write(`${publicVideo.uuid}/comment-threads`, 'A thread')
  const reply = await write(`${publicVideo.uuid}/comments/${thread.id}`, 'A reply')
  const hidden = await write(`${unlisted.uuid}/comment-threads`, 'Soon hidden')
  await runQuery(sql`UPDATE comments SET held = true WHERE id = ${hidden.id}`)
  expect(await redirectTarget(new URL(thread.url).pathname)).toBe(`/w/${short}?threadId=${thread.id}#comment-${thread.id}`)
  expect(await redirectTarget(new URL(reply.url).pathname)).toBe(`/w/${short}?threadId=${thread.id}#comment-${reply.id}`)
  expect(await redirectTarget(new URL(hidden.url).pathname)).toBe(`/w/${shortUuid(unlisted.uuid)}`)
  expect(await redirectTarget(`/videos/watch/${publicVideo.uuid}/comments/999999`)).toBe(`/w/${short}`)
  const document = async (path: string) => {
    const { status, headers } = await getPage(path, 'application/activity+json')
    return [status, headers.get('location')]
  }
  expect(await document(`/w/${short};threadId=${thread.id}`)).toEqual([302, thread.url])
  expect(await document(`/w/${shortUuid(unlisted.uuid)};threadId=${thread.id}`)).toEqual([404, null])
  expect(await document(`/w/${shortUuid(unlisted.uuid)};threadId=${hidden.id}`)).toEqual([404, null])
})

test('the captions in the address of a page are those of the player that it offers to other sites', async () => {
  const short = shortUuid(publicVideo.uuid)
  const players = async (query: string) =>
    [...(await getPage(`/w/${short}${query}`)).text.matchAll(/(?:og:video:url|twitter:player)" content="([^"]+)"/g)].map(([, url]) => url)
  const embed = `${site.url}/videos/embed/${publicVideo.uuid}`
  expect(await players('?subtitle=pt-BR')).toEqual([`${embed}?subtitle=pt-BR`, `${embed}?subtitle=pt-BR`])
  for (const query of ['', '?subtitle=%22%3E', '?subtitle[]=fr', `?subtitle=${'a'.repeat(5000)}`])
    expect(await players(query)).toEqual([embed, embed])
})

test('an id redirects to a listed video only', async () => {
  expect(await redirectTarget(`/w/${publicVideo.id}`)).toBe(`/w/${shortUuid(publicVideo.uuid)}`)
  expect((await getPage(`/w/${publicVideo.id}`)).headers.get('cache-control')).toBe('no-cache')
  expect(await redirectTarget(`/w/${unlisted.id}`)).toBe(404)
  expect(await redirectTarget('/w/999999')).toBe(404)
  expect(await redirectTarget('/w/nonsense')).toBe(404)
})

test('channels and accounts have one URL each', async () => {
  const host = new URL(site.url).host
  for (const path of [
    '/video-channels/ada_channel',
    '/video-channels/ada_channel/videos',
    '/c/ada_channel/videos',
    '/c/ada_channel/video-playlists',
    '/c/ada_channel/about',
    `/c/ada_channel@${host}`,
    '/c/@ada_channel',
    '/@ada_channel',
    `/@ada_channel@${host}`,
    '/@ada_channel/videos'
  ])
    expect(await redirectTarget(path), path).toBe('/c/ada_channel')
  for (const path of [
    '/accounts/ada',
    '/accounts/ada/videos',
    '/a/ada/videos',
    '/a/ada/video-channels',
    '/a/ada/about',
    `/a/ada@${host}`,
    '/@ada',
    '/@ADA',
    '/@ada/video-channels'
  ])
    expect(await redirectTarget(path), path).toBe('/a/ada')
  expect(await redirectTarget('/video-channels/far@away.example/videos?x=1')).toBe('/c/far@away.example?x=1')
  expect(await redirectTarget('/c/ada_channel')).toBe(200)
  expect(await redirectTarget('/a/ada')).toBe(200)
  expect(await redirectTarget('/@nobody')).toBe(404)
})

test("paths of PeerTube's clients redirect to the same pages", async () => {
  expect(
    Object.fromEntries(
      await Promise.all(
        [
          '/videos/trending',
          '/videos/recently-added',
          '/videos/local',
          '/videos/overview',
          '/videos/browse?scope=local&sort=-publishedAt',
          '/videos/browse?sort=-trending',
          '/videos/browse',
          '/videos/search?search=mill',
          '/my-account',
          '/my-account/settings',
          '/my-library/videos',
          '/my-library/video-channels',
          '/my-library/video-channels/create',
          '/my-library/video-channels/update/ada_channel',
          '/videos/upload',
          '/about/instance',
          '/admin/follows/followers-list',
          '/remote-interaction?uri=ada@away.example'
        ].map(async path => [path, await redirectTarget(path)])
      )
    )
  ).toEqual({
    '/videos/trending': '/?sort=trending',
    '/videos/recently-added': '/',
    '/videos/local': '/?sort=local',
    '/videos/overview': '/',
    '/videos/browse?scope=local&sort=-publishedAt': '/?sort=local',
    '/videos/browse?sort=-trending': '/?sort=trending',
    '/videos/browse': '/',
    '/videos/search?search=mill': '/search?search=mill',
    '/my-account': '/settings',
    '/my-account/settings': '/settings',
    '/my-library/videos': '/my/videos',
    '/my-library/video-channels': '/my/channels',
    '/my-library/video-channels/create': '/my/new-channel',
    '/my-library/video-channels/update/ada_channel': '/my/channels/ada_channel',
    '/videos/upload': '/upload',
    '/about/instance': '/about',
    '/admin/follows/followers-list': '/admin/federation?tab=followers',
    '/remote-interaction?uri=ada@away.example': '/search?search=ada%40away.example'
  })
})

test('other servers get documents at all these URLs, with a Vary header for caches', async () => {
  const short = shortUuid(publicVideo.uuid)
  for (const path of [`/videos/watch/${publicVideo.uuid}`, `/w/${publicVideo.uuid}`, `/w/${short}`]) {
    const { status, json } = await getPage(path, 'application/activity+json')
    expect([path, status, json?.type]).toEqual([path, 200, 'Video'])
  }
  for (const [path, type] of [
    ['/accounts/ada', 'Person'],
    ['/a/ada', 'Person'],
    ['/video-channels/ada_channel', 'Group'],
    ['/c/ada_channel', 'Group']
  ]) {
    const { status, json } = await getPage(path!, 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"')
    expect([path, status, json?.type]).toEqual([path, 200, type])
  }
  for (const path of [`/videos/watch/${publicVideo.uuid}`, `/w/${short}`, '/accounts/ada', '/a/ada'])
    expect((await getPage(path)).headers.get('vary'), path).toMatch(/^Accept\b(?!-)/)
})

test('no redirect leaves this site, and malformed URLs cause no server error', async () => {
  for (const path of [
    '/videos/watch/%2F%2Fevil.example',
    '/w/%2F%2Fevil.example',
    '/c/%2F%2Fevil.example/videos',
    '/a/@%2F%2Fevil.example',
    '/@%2F%2Fevil.example',
    '/video-channels/%5C%5Cevil.example',
    '/c/a%0d%0aX-Evil:%201/videos',
    '/@a@b@c',
    '/@%00',
    '/my-library/video-channels/update/%2F..%2F..',
    '/remote-interaction?uri[x]=1',
    '/?sort[]=trending&sort=x'
  ]) {
    const target = await redirectTarget(path)
    if (typeof target === 'string') expect(target, path).toMatch(/^\/[a-z@]/)
    else expect([200, 404], path).toContain(target)
  }
  for (const path of ['/c/%', '/@%ff']) expect((await getPage(path)).status, path).toBeLessThan(500)
})

test('each list of the home page is rendered by the server under its own URL', async () => {
  for (const [path, name] of [
    ['/', 'New'],
    ['/?sort=trending', 'Trending'],
    ['/?sort=local', 'Local'],
    ['/?sort=nonsense', 'New']
  ]) {
    const { text } = await getPage(path!)
    expect(text.match(/aria-current="page">([^<]+)</)?.[1], path).toBe(name)
    expect(text).toContain(`<link rel="canonical" href="${site.url}${path === '/?sort=nonsense' ? '/' : path}">`)
  }
})
