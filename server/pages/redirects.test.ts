import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortUuid } from '../../shared/short-uuid.ts'
import { runQuery, sql } from '../core/sql.ts'
import { ensureBuilt } from '../test/ensure-built.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

let site: TestInstance
let open: { id: number; uuid: string }
let unlisted: { id: number; uuid: string }
beforeAll(async () => {
  await ensureBuilt()
  site = await startTestInstance({}, ['web'])
  const { channelId } = await site.user('ada')
  open = await seedVideo({ channelId })
  unlisted = await seedVideo({ channelId, privacy: 2 })
  await runQuery(sql`UPDATE videos SET url = ${`${site.url}/videos/watch/`} || uuid, federated = true`)
})
afterAll(async () => await site?.stop())

const ask = async (path: string, accept = 'text/html') => await site.call(`GET /${path}`, { headers: { accept } })
const leadsTo = async (path: string) => {
  const { status, headers } = await ask(path)
  return status === 301 || status === 302 ? headers.get('location') : status
}

test("every form of a video's address leads to the short one, with its query", async () => {
  const short = shortUuid(open.uuid)
  for (const path of [
    `/videos/watch/${open.uuid}`,
    `/videos/watch/${short}`,
    `/videos/${open.uuid}/watch`,
    `/w/${open.uuid}`,
    `/w/${open.uuid.toUpperCase()}`
  ])
    expect(await leadsTo(path), path).toBe(`/w/${short}`)
  expect(await leadsTo(`/videos/watch/${open.uuid}?start=1m&x=%26`)).toBe(`/w/${short}?start=1m&x=%26`)
  expect(await leadsTo(`/w/${open.uuid}?start=5`)).toBe(`/w/${short}?start=5`)
  expect(await leadsTo(`/w/${short}`)).toBe(200)
  expect(await leadsTo(`/videos/update/${open.uuid}`)).toBe(`/my/videos/${short}`)
})

test('a number leads to what is listed and to nothing else', async () => {
  expect(await leadsTo(`/w/${open.id}`)).toBe(`/w/${shortUuid(open.uuid)}`)
  expect((await ask(`/w/${open.id}`)).headers.get('cache-control')).toBe('no-cache')
  expect(await leadsTo(`/w/${unlisted.id}`)).toBe(404)
  expect(await leadsTo('/w/999999')).toBe(404)
  expect(await leadsTo('/w/nonsense')).toBe(404)
})

test('channels and accounts have one address each', async () => {
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
    expect(await leadsTo(path), path).toBe('/c/ada_channel')
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
    expect(await leadsTo(path), path).toBe('/a/ada')
  expect(await leadsTo('/video-channels/far@away.example/videos?x=1')).toBe('/c/far@away.example?x=1')
  expect(await leadsTo('/c/ada_channel')).toBe(200)
  expect(await leadsTo('/a/ada')).toBe(200)
  expect(await leadsTo('/@nobody')).toBe(404)
})

test('rooms and lists are found under their old names', async () => {
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
        ].map(async path => [path, await leadsTo(path)])
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

test('other servers get documents at all these addresses, and no cache mixes them up', async () => {
  const short = shortUuid(open.uuid)
  for (const path of [`/videos/watch/${open.uuid}`, `/w/${open.uuid}`, `/w/${short}`]) {
    const { status, json } = await ask(path, 'application/activity+json')
    expect([path, status, json?.type]).toEqual([path, 200, 'Video'])
  }
  for (const [path, type] of [
    ['/accounts/ada', 'Person'],
    ['/a/ada', 'Person'],
    ['/video-channels/ada_channel', 'Group'],
    ['/c/ada_channel', 'Group']
  ]) {
    const { status, json } = await ask(path!, 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"')
    expect([path, status, json?.type]).toEqual([path, 200, type])
  }
  for (const path of [`/videos/watch/${open.uuid}`, `/w/${short}`, '/accounts/ada', '/a/ada'])
    expect((await ask(path)).headers.get('vary'), path).toMatch(/^Accept\b(?!-)/)
})

test('no address leads off this site, and broken ones break nothing', async () => {
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
    const answer = await leadsTo(path)
    if (typeof answer === 'string') expect(answer, path).toMatch(/^\/[a-z@]/)
    else expect([200, 404], path).toContain(answer)
  }
  for (const path of ['/c/%', '/@%ff']) expect((await ask(path)).status, path).toBeLessThan(500)
})

test('the lists of the home page are written by the server, each under its own address', async () => {
  for (const [path, name] of [
    ['/', 'New'],
    ['/?sort=trending', 'Trending'],
    ['/?sort=local', 'From here'],
    ['/?sort=nonsense', 'New']
  ]) {
    const { text } = await ask(path!)
    expect(text.match(/aria-current="page">([^<]+)</)?.[1], path).toBe(name)
    expect(text).toContain(`<link rel="canonical" href="${site.url}${path === '/?sort=nonsense' ? '/' : path}">`)
  }
})
