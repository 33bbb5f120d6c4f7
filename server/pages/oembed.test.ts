import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestResponse, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { shortUuid } from '../../shared/short-uuid.ts'

let site: TestInstance
const videos: Record<string, { id: number; uuid: string }> = {}

beforeAll(async () => {
  site = await startTestInstance(
    { instance: { name: 'Reels & more' }, thumbnails: { width: 280, height: 157, preview_width: 850, preview_height: 480 } },
    ['web']
  )
  const { channelId } = await site.user('ada')
  for (const [name, privacy] of Object.entries({ open: 1, unlisted: 2, private: 3, internal: 4, password: 5 }))
    videos[name] = await seedVideo({ channelId, privacy })
  await runQuery(sql`UPDATE videos SET name = 'A "film" <b>of</b> mine', aspect_ratio = 1.7778 WHERE id = ${videos.open!.id}`)
  await runQuery(
    sql`INSERT INTO thumbnails (video_id, kind, filename, width, height, automatic, created_at, updated_at)
      VALUES (${videos.open!.id}, 'thumbnail', 't.jpg', 280, 157, true, now(), now()), (${videos.open!.id}, 'preview', 'p.jpg', 850, 480,
        true, now(), now())`
  )
})
afterAll(async () => await site.stop())

const requestOembed = async (url: string, more = ''): Promise<TestResponse> =>
  await site.call(`GET //services/oembed?url=${encodeURIComponent(url)}${more}`)
const publicVideoUrl = (path: (uuid: string) => string = uuid => `/w/${shortUuid(uuid)}`) => site.url + path(videos.open!.uuid)

test('describes how a video is embedded', async () => {
  const response = await requestOembed(publicVideoUrl())
  expect([response.status, response.headers.get('content-type'), response.headers.get('access-control-allow-origin')]).toEqual([
    200,
    'application/json; charset=utf-8',
    '*'
  ])
  expect(response.json).toEqual({
    type: 'video',
    version: '1.0',
    title: 'A "film" <b>of</b> mine',
    width: 560,
    height: 315,
    html: `<iframe title="A &#34;film&#34; &#60;b&#62;of&#60;/b&#62; mine" width="560" height="315" src="${site.url}/videos/embed/${videos.open!.uuid}" frameborder="0" allowfullscreen loading="lazy"></iframe>`,
    author_name: 'Main ada channel',
    author_url: `${site.url}/c/ada_channel`,
    provider_name: 'Reels & more',
    provider_url: site.url,
    thumbnail_url: `${site.url}/lazy-static/previews/p.jpg`,
    thumbnail_width: 850,
    thumbnail_height: 480
  })
})

test.each([
  ['the short one', (uuid: string) => `/w/${shortUuid(uuid)}`],
  ['the long one', (uuid: string) => `/w/${uuid}`],
  ["PeerTube's", (uuid: string) => `/videos/watch/${uuid}`],
  ["the player's", (uuid: string) => `/videos/embed/${uuid}`],
  ['the old one', (uuid: string) => `/videos/${uuid}/watch`],
  ['one that leads to a comment', (uuid: string) => `/w/${shortUuid(uuid)};threadId=17`],
  ["a comment's own", (uuid: string) => `/videos/watch/${uuid}/comments/17`],
  ['one with more in it', (uuid: string) => `/w/${uuid}/?utm_source=x#t`]
])('understands every URL of a video: %s', async (_, path) => {
  expect((await requestOembed(publicVideoUrl(path))).json).toMatchObject({ title: 'A "film" <b>of</b> mine' })
})

test('passes the times and the captions on, and no other parameter', async () => {
  const { json } = await requestOembed(
    `${publicVideoUrl()}?start=1m5s&stop=90&subtitle=pt-BR&autoplay=1&start=%22%3E&subtitle=%22%3E&constructor=1`
  )
  expect(json.html).toContain(`src="${site.url}/videos/embed/${videos.open!.uuid}?start=1m5s&#38;stop=90&#38;subtitle=pt-BR"`)
})

test('keeps to the given size in the aspect ratio of the video', async () => {
  expect((await requestOembed(publicVideoUrl(), '&maxwidth=400&maxheight=1000')).json).toMatchObject({
    width: 400,
    height: 225,
    thumbnail_width: 280
  })
  expect((await requestOembed(publicVideoUrl(), '&maxheight=100')).json).toMatchObject({ width: 178, height: 100 })
  expect((await requestOembed(publicVideoUrl(), '&maxheight=100')).json).not.toHaveProperty('thumbnail_url')
  await runQuery(sql`UPDATE videos SET aspect_ratio = 0.5625 WHERE id = ${videos.open!.id}`)
  expect((await requestOembed(publicVideoUrl(), '&maxwidth=5000')).json).toMatchObject({ width: 315, height: 560 })
  await runQuery(sql`UPDATE videos SET aspect_ratio = 1.7778 WHERE id = ${videos.open!.id}`)
})

test('unlisted videos can be embedded by their link; restricted ones are refused', async () => {
  expect((await requestOembed(`${site.url}/w/${videos.unlisted!.uuid}`)).status).toBe(200)
  const statusAndLeak = async (path: string) => {
    const { status, text } = await requestOembed(site.url + path)
    return [status, text.includes('A seed')]
  }
  expect(await statusAndLeak(`/w/${videos.unlisted!.id}`)).toEqual([403, false])
  expect(await statusAndLeak(`/w/${videos.private!.uuid}`)).toEqual([403, false])
  expect(await statusAndLeak(`/w/${videos.internal!.uuid}`)).toEqual([403, false])
  expect(await statusAndLeak(`/w/${videos.password!.uuid}`)).toEqual([403, false])
  expect(await statusAndLeak('/w/9c9de5e8-0a1e-484a-b099-e80766180a6d')).toEqual([404, false])
})

test('answers 400 for other URLs and invalid parameters', async () => {
  for (const url of [
    `${site.url}/c/ada_channel`,
    `${site.url}/a/ada`,
    site.url,
    `${site.url}/w/p/x`,
    'https://other.example/w/9c9de5e8-0a1e-484a-b099-e80766180a6d',
    `javascript:alert(1)//${site.url}/w/${videos.open!.uuid}`,
    'nonsense',
    `${site.url}@other.example/w/${videos.open!.uuid}`
  ]) {
    expect([url, (await requestOembed(url)).json]).toEqual([url, expect.objectContaining({ status: 400, detail: 'Invalid url.', url })])
  }
  expect((await requestOembed(publicVideoUrl(), '&format=xml')).json).toMatchObject({
    status: 501,
    title: 'Not Implemented',
    format: 'xml'
  })
  for (const more of ['&maxwidth=0', '&maxwidth=-1', '&maxheight=1e99', '&maxwidth=x', '&url=a', '&format=json&format=xml'])
    expect([more, (await requestOembed(publicVideoUrl(), more)).status]).toEqual([more, 400])
  expect((await site.call('GET //services/oembed')).json).toMatchObject({ status: 400, code: 'invalid_request' })
  expect((await requestOembed('x'.repeat(3000))).status).toBe(400)
})
