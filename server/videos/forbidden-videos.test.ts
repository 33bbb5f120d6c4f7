import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startScriptedPeerTube, type ScriptedPeerTube, type ScriptedVideo } from '../test/scripted-peertube.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { crawlOutbox } from './outbox-crawler.ts'
import { refreshRemoteVideos } from './refresh.job.ts'
import { resolveVideo } from './resolve-video.ts'

let site: TestInstance
let peertube: ScriptedPeerTube
let ada: { token: string }

beforeAll(async () => {
  site = await startTestInstance({
    federation: { fetch: { per_host: { max: 100_000 } } },
    internals: { videos: { instanceProbeInterval: 0, refreshRetry: 1 } }
  })
  ada = await site.user('ada')
}, 60_000)
beforeEach(async () => {
  peertube = await startScriptedPeerTube(() => `${site.url}/inbox`)
  await peertube.follow()
  return async () => await peertube.peer.stop()
})
afterAll(async () => await site?.stop())

const publish = async (): Promise<ScriptedVideo> => {
  const { video, activity } = peertube.publish()
  await peertube.deliver(activity)
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${video.id}`)).length === 1, 20, 'the video')
  return video
}
/** Asks the origin for the videos, as the periodic refresh does. */
const refresh = async (...videos: ScriptedVideo[]) => {
  for (const { id } of videos) await resolveVideo(id, { refresh: true }).catch(() => undefined)
}
const statusOf = async ({ id }: ScriptedVideo) => (await site.call(`GET /videos/${id.slice(-36)}`)).status
const listed = async () => {
  const { data } = (await site.call(`GET /search/videos?host=${peertube.peer.host}&count=100`)).json
  return data.map(({ uuid }: { uuid: string }) => uuid).length
}

test('a video that became private while we were away is hidden with what people here wrote, and visible again', async () => {
  const video = await publish()
  const path = `/videos/${video.id.slice(-36)}`
  await site.call(`POST ${path}/comment-threads`, { token: ada.token, body: { text: 'From here' } })
  peertube.makePrivate(video)
  await runQuery(sql`UPDATE videos SET refreshed_at = now() - interval '10 days' WHERE url = ${video.id}`)
  await refreshRemoteVideos.run({}, { progress: () => undefined, signal: new AbortController().signal })
  expect([await statusOf(video), await listed()]).toEqual([404, 0])
  expect((await site.call(`GET ${path}/comment-threads`)).status).toBe(404)
  // Asked again by itself, later each time, and at the first 200 as it was.
  await refresh(video)
  peertube.makePublic(video)
  await runQuery(sql`UPDATE videos SET refresh_not_before = now() WHERE url = ${video.id}`)
  await refreshRemoteVideos.run({}, { progress: () => undefined, signal: new AbortController().signal })
  expect([await statusOf(video), await listed()]).toEqual([200, 1])
  expect((await site.call(`GET ${path}/comment-threads`)).json.data).toMatchObject([{ text: 'From here' }])
})

test('an embedded copy of the same version does not show a hidden video; its origin does', async () => {
  const { video, activity } = peertube.publish()
  await peertube.deliver(activity)
  await eventually(async () => (await statusOf(video)) === 200, 20, 'the video')
  peertube.peer.refuse(new URL(video.id).pathname, 403)
  await refresh(video)
  expect(await statusOf(video)).toBe(404)
  // Sent in another second, so that its signature is another one.
  await new Promise(resolve => setTimeout(resolve, 1100))
  await peertube.deliver(activity)
  await eventually(async () => peertube.peer.asked.filter(path => path === new URL(video.id).pathname).length >= 3, 20, 'a request')
  expect(await statusOf(video)).toBe(404)
})

test('a video that its channel lists again is asked for at once, however often it was refused before', async () => {
  const video = await publish()
  peertube.makePrivate(video)
  await refresh(video)
  expect(await statusOf(video)).toBe(404)
  peertube.makePublic(video)
  await runQuery(sql`UPDATE videos SET refresh_not_before = now() + interval '1 day' WHERE url = ${video.id}`)
  const [channel] = await runQuery<{ id: number }>(sql`SELECT id FROM actors WHERE url = ${peertube.channel.url}`)
  await crawlOutbox(channel!.id)
  expect(await statusOf(video)).toBe(200)
})

test('a video that stays forbidden is deleted after the retention only', async () => {
  const video = await publish()
  await site.call(`POST /videos/${video.id.slice(-36)}/comment-threads`, { token: ada.token, body: { text: 'From here' } })
  peertube.makePrivate(video)
  await refresh(video)
  await runQuery(sql`UPDATE videos SET forbidden_since = now() - interval '29 days' WHERE url = ${video.id}`)
  await refresh(video)
  const comments = async () => await runQuery(sql`SELECT 1 FROM comments JOIN videos v ON v.id = video_id WHERE v.url = ${video.id}`)
  expect(await comments()).toHaveLength(1)
  await runQuery(sql`UPDATE videos SET forbidden_since = now() - interval '31 days' WHERE url = ${video.id}`)
  await refresh(video)
  expect(await runQuery(sql`SELECT 1 FROM videos WHERE url = ${video.id}`)).toEqual([])
})

test('a peer that answers 403 to everything loses nothing here', async () => {
  const videos = await Promise.all(Array.from({ length: 12 }, publish))
  for (const { pathname } of [...videos.map(({ id }) => new URL(id)), new URL(peertube.instance.url)]) peertube.peer.refuse(pathname, 403)
  for (let round = 0; round < 3; round++) await refresh(...videos)
  expect(await listed()).toBe(12)
})

test('a peer that refuses many videos at once loses none here, and health tells', { timeout: 60_000 }, async () => {
  const videos = await Promise.all(Array.from({ length: 12 }, publish))
  const refuse = (status: number | null) => {
    for (const { id } of videos) peertube.peer.refuse(new URL(id).pathname, status)
  }
  const faults = async () => (await site.call('GET /server/health', { token: await site.login() })).json.faults
  const told = { code: 'videos_refused', hosts: [peertube.peer.host] }
  refuse(403)
  for (let round = 0; round < 2; round++) await refresh(...videos)
  expect(await listed()).toBe(12)
  expect(await faults()).toContainEqual(expect.objectContaining(told))
  // Nor a day later, when they are asked one after the other.
  await runQuery(sql`UPDATE videos SET forbidden_since = forbidden_since - interval '1 day' WHERE forbidden_since IS NOT NULL`)
  await refresh(videos[0]!, videos[1]!)
  expect(await listed()).toBe(12)
  refuse(null)
  await refresh(...videos)
  expect([await listed(), await faults()]).toEqual([12, expect.not.arrayContaining([expect.objectContaining(told)])])
})

test('a page of a firewall hides nothing', async () => {
  const video = await publish()
  peertube.peer.serve(new URL(video.id).pathname, (_, response) => {
    response.writeHead(403, { 'content-type': 'text/html; charset=utf-8' }).end('<h1>Forbidden</h1>')
  })
  await refresh(video)
  expect(await statusOf(video)).toBe(200)
})
