import type { RequestListener } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { requestObjectRefresh } from '../fediverse/object-refreshes.ts'
import type { HostileActor } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import { startScriptedPeerTube, type ScriptedPeerTube, type ScriptedVideo } from './scripted-peertube.ts'
import { uploadVideo, waitForTranscoding } from './upload.ts'

let site: TestInstance
let peertube: ScriptedPeerTube
/** Another actor of the host of the PeerTube. */
let eve: HostileActor
let localVideo: string
beforeAll(async () => {
  site = await startTestInstance({
    federation: { inbox: { per_host: { max: 100_000 } }, fetch: { per_host: { max: 100_000 } } },
    internals: {
      inbox: { checkInterval: 100, refreshDelay: 300, retryDelay: 300 },
      outbox: { checkInterval: 50 },
      videos: { instanceProbeInterval: 0 }
    }
  })
  const ada = await site.user('ada')
  const { id, uuid } = await uploadVideo(site, ada)
  await waitForTranscoding(site, ada, id)
  localVideo = `${site.url}/videos/watch/${uuid}`
  peertube = await startScriptedPeerTube(() => `${site.url}/inbox`)
  await peertube.follow()
  eve = await peertube.peer.actor('eve')
}, 120_000)
afterAll(async () => {
  await peertube?.peer.stop()
  await site?.stop()
})

const path = (url: string) => new URL(url).pathname
const waitUntilProcessed = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'the processing')
const isPublic = async ({ id }: ScriptedVideo) =>
  (await runQuery(sql`SELECT 1 FROM videos WHERE url = ${id} AND privacy = 1 AND gone_at IS NULL`)).length > 0
const publish = async () => {
  const { video, activity } = peertube.publish()
  await peertube.deliver(activity)
  await eventually(async () => await isPublic(video), 20, 'the video')
  return video
}
const deleteBy = (actor: string, object: string) => ({
  type: 'Delete',
  id: `${object}/delete-by-${actor.split('/').at(-1)}`,
  actor,
  object
})
/** Waits until the origin of an object was asked for it. */
const waitUntilAsked = async (url: string) =>
  await eventually(
    async () =>
      (await runQuery(sql`SELECT 1 FROM object_refreshes WHERE url = ${url} AND (attempts > 0 OR fetched_at IS NOT NULL)`)).length > 0,
    20,
    'the fetch'
  )

test('a Delete by the owner counts at once though the origin was asked in vain before', async () => {
  const video = await publish()
  await peertube.deliver(peertube.addCaption(video, 'en'))
  await peertube.deliver(peertube.addCaption(video, 'fr'))
  await waitUntilProcessed()
  const last = peertube.addCaption(video, 'de')
  peertube.peer.refuse(path(video.id), 500)
  await peertube.deliver(last)
  await waitUntilAsked(video.id)
  // As after hours of attempts.
  await runQuery(sql`UPDATE object_refreshes SET attempts = 9, not_before = now() + interval '6 hours' WHERE url = ${video.id}`)
  await peertube.deliver(deleteBy(peertube.account.url, video.id))
  await eventually(async () => !(await isPublic(video)), 20, 'the removal')
})

test.each<[string, (video: ScriptedVideo, other: ScriptedVideo) => { [key: string]: string } | RequestListener]>([
  ['serves a document of something else', video => ({ type: 'Event', id: video.id })],
  ['redirects to another video', (_, other) => (_request, response) => response.writeHead(302, { location: other.id }).end()],
  ['redirects to an actor', () => (_request, response) => response.writeHead(302, { location: eve.url }).end()],
  ['serves a page', () => (_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Sign in')],
  ['redirects to itself', video => (_request, response) => response.writeHead(302, { location: video.id }).end()]
])('a Delete by the owner counts while the origin %s', async (_what, answer) => {
  const [other, video] = [await publish(), await publish()]
  peertube.peer.serve(path(video.id), answer(video, other))
  await peertube.deliver(deleteBy(peertube.account.url, video.id))
  await eventually(async () => !(await isPublic(video)), 20, 'the removal')
  expect(await isPublic(other)).toBe(true)
})

test.each([401, 503])('nobody else deletes a video or an account by a Delete sent twice while the origin answers %i', async status => {
  const video = await publish()
  for (const url of [video.id, peertube.account.url, peertube.channel.url]) {
    peertube.peer.refuse(path(url), status)
    for (let number = 0; number < 2; number++) {
      await peertube.peer.post(`${site.url}/inbox`, deleteBy(eve.url, url))
      await waitUntilProcessed()
    }
    await waitUntilAsked(url)
    peertube.peer.refuse(path(url), null)
  }
  const left = await runQuery(sql`
    SELECT url FROM videos WHERE url = ${video.id} AND gone_at IS NULL
    UNION ALL SELECT url FROM actors WHERE url IN (${peertube.account.url}, ${peertube.channel.url})`)
  expect(left).toHaveLength(3)
  expect(await runQuery(sql`SELECT url FROM tombstones WHERE url = ${video.id}`)).toEqual([])
})

test.each([401, 503])('nobody else deletes a comment by a Delete sent twice while the origin answers %i', async status => {
  const { comment, activity } = peertube.commentElsewhere(localVideo, `Hello ${status}`)
  await peertube.deliver(activity)
  await waitUntilProcessed()
  peertube.peer.refuse(path(comment.id), status)
  for (let number = 0; number < 2; number++) {
    await peertube.peer.post(`${site.url}/inbox`, deleteBy(eve.url, comment.id))
    await waitUntilProcessed()
  }
  await waitUntilAsked(comment.id)
  expect(await runQuery(sql`SELECT 1 FROM comments WHERE url = ${comment.id} AND deleted_at IS NULL`)).toHaveLength(1)
})

test('an Update of before does not show a video that its origin refuses to show', async () => {
  const video = await publish()
  const delayed = peertube.rename(video, 'Renamed')
  peertube.makePrivate(video)
  await requestObjectRefresh(video.id)
  await eventually(async () => !(await isPublic(video)), 20, 'the hiding')
  await peertube.deliver(delayed)
  await waitUntilProcessed()
  expect(await isPublic(video)).toBe(false)
})

test('a Delete that overtakes its Create counts though the origin has trouble when it arrives', async () => {
  const { comment, activity } = peertube.commentElsewhere(localVideo, 'Too late')
  peertube.peer.refuse(path(comment.id), 503)
  await peertube.deliver(deleteBy(activity.actor, comment.id))
  await peertube.deliver(activity)
  peertube.peer.refuse(path(comment.id), 410)
  await waitUntilProcessed()
  expect(await runQuery(sql`SELECT 1 FROM comments WHERE url = ${comment.id} AND deleted_at IS NULL`)).toEqual([])
})
