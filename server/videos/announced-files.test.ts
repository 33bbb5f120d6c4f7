import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageBytes } from '../test/footage.ts'
import { startScriptedPeerTube, type ScriptedPeerTube } from '../test/scripted-peertube.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { uploadVideo, waitForTranscoding } from '../test/upload.ts'

let site: TestInstance
let follower: ScriptedPeerTube
let videos: { uuid: string; id: number }[]

beforeAll(async () => {
  site = await startTestInstance({
    storyboards: { enabled: true },
    transcoding: { preset: 'ultrafast', web_videos: { enabled: true }, resolutions: { '240p': true, '360p': true } },
    internals: { outbox: { checkInterval: 300 }, videos: { dueUpdatesInterval: 300, dueUpdatesBatch: 1 } }
  })
  follower = await startScriptedPeerTube(() => `${site.url}/inbox`)
  const { peer, instance } = follower
  await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: instance.url, object: `${site.url}/accounts/peertube` })
  const ada = await site.user('ada')
  const bytes = await makeFootageBytes({ seconds: 3, size: '640x360' })
  videos = [await uploadVideo(site, ada, { name: 'The first' }, bytes), await uploadVideo(site, ada, { name: 'The second' }, bytes)]
  for (const { id } of videos) await waitForTranscoding(site, ada, id)
}, 120_000)
afterAll(async () => {
  await follower?.peer.stop()
  await site?.stop()
})

type Link = { mediaType?: string; href?: string; height?: number; attachment?: { value: string }[]; tag?: Link[]; url?: Link[] | string }
const fetchDocument = async (uuid: string): Promise<any> =>
  (await follower.peer.get(`${site.url}/videos/watch/${uuid}`, { headers: { accept: 'application/activity+json' } })).json
/** All links of a document, nested ones as well. */
const linksOf = (document: any): Link[] => {
  const links = [...document.url, ...document.preview.flatMap(({ url }: { url: Link[] }) => url), ...document.subtitleLanguage]
  return [...links, ...links.flatMap((link: Link) => link.tag ?? []), ...document.icon]
}
const addressesOf = (document: any) =>
  linksOf(document)
    .map(({ href, url }) => href ?? url)
    .filter((address): address is string => typeof address === 'string' && /^http.*\.(mp4|m3u8|json|jpg|vtt|torrent)$/.test(address))
const fileName = (address: string) => new URL(address).pathname.split('/').pop()!

test('every announced file has a name of its own, over all videos, and is there', async () => {
  const documents = await Promise.all(videos.map(async ({ uuid }) => await fetchDocument(uuid)))
  const addresses = documents.flatMap(addressesOf)
  expect(addresses.filter(address => address.endsWith('.mp4')).length).toBeGreaterThanOrEqual(10)
  expect(new Set(addresses.map(fileName)).size).toBe(addresses.length)
  for (const address of addresses) expect([address, (await fetch(address, { method: 'HEAD' })).status]).toEqual([address, 200])
  // The address that was announced before, and what is announced now, are the same film.
  for (const { uuid } of videos) {
    const [announced] = addressesOf(documents.find(({ id }) => id.endsWith(uuid))).filter(address => address.endsWith('-240.mp4'))
    const before = await fetch(`${site.url}/static/streaming-playlists/hls/${uuid}/240.mp4`)
    expect([before.status, await before.arrayBuffer()]).toEqual([200, await (await fetch(announced!)).arrayBuffer()])
  }
})

test('audio is announced as PeerTube announces it, and both download addresses answer', async () => {
  const [{ uuid, id }] = videos as [{ uuid: string; id: number }]
  const playlist = (await fetchDocument(uuid)).url.find(({ mediaType }: Link) => mediaType === 'application/x-mpegURL')
  const files = playlist.tag.filter(({ mediaType, href }: Link) => mediaType?.startsWith('video/') || /^http.*\.mp4$/.test(href ?? ''))
  expect(files.map(({ mediaType }: Link) => mediaType)).toEqual(files.map(() => 'video/mp4'))
  const audio = files.find(({ height }: Link) => height === 0)
  expect(audio.attachment.map(({ value }: { value: string }) => value)).toEqual(['audio', 'fragmented'])
  const { json } = await site.call(`GET /videos/${id}`)
  const { fileDownloadUrl } = json.streamingPlaylists[0].files.find(({ resolution }: { resolution: { id: number } }) => resolution.id === 0)
  expect(fileDownloadUrl).toMatch(/-0-fragmented\.m4a$/)
  for (const address of [fileDownloadUrl, fileDownloadUrl.replace('.m4a', '.mp4')]) {
    const answer = await fetch(address)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'audio/mp4'])
  }
  expect((await fetch(fileDownloadUrl.replace('-0-fragmented', '-240-fragmented'))).status).toBe(404)
})

test('the Updates that an upgrade owes are sent one after the other', async () => {
  const updates = () =>
    follower.peer.received.filter(({ activity }) => activity.type === 'Update').map(({ activity }) => activity.object.id)
  await runQuery(sql`UPDATE videos SET update_due = true`)
  const before = updates().length
  await eventually(async () => new Set(updates().slice(before)).size === videos.length, 20, 'the Updates')
  expect(await runQuery(sql`SELECT 1 FROM videos WHERE update_due`)).toEqual([])
})
