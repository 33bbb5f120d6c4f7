import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'
import { countersDueSql } from './video.outbox.ts'
import { parseVideoObject } from './video.codec.ts'

let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let peer: HostilePeer
let follower: HostileActor
const fetchDocument = async (path: string) => await site.call(`GET //${path}`, { headers: { accept: 'application/activity+json' } })
const receivedActivities = (type: string, objectId: string) =>
  peer.received
    .map(post => post.activity)
    .filter(activity => activity.type === type && (activity.object?.id ?? activity.object) === objectId)

beforeAll(async () => {
  site = await startTestInstance({ storyboards: { enabled: true }, internals: { videos: { countersInterval: 2000 } } })
  alice = await site.user('alice')
  peer = await startHostilePeer()
  follower = await peer.actor('fan')
  for (const target of ['accounts/alice', 'video-channels/alice_channel', 'accounts/peertube']) {
    await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: follower.url, object: `${site.url}/${target}` })
  }
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 3, 20, 'the follows')
})
afterAll(async () => {
  await peer?.stop()
  await site?.stop()
})

describe('a local video', () => {
  it('is sent to followers of account, channel and instance, served at its URL, updated and deleted', async () => {
    const { uuid } = await uploadVideo(site, alice, {
      name: 'First',
      category: 2,
      licence: 1,
      language: 'en',
      tags: ['one'],
      description: 'Words',
      support: 'Thanks'
    })
    const id = `${site.url}/videos/watch/${uuid}`
    await waitForTranscoding(site, alice, uuid)
    await eventually(
      async () =>
        receivedActivities('Create', id).length === 1 &&
        receivedActivities('Announce', id).length === 2 &&
        receivedActivities('Update', id).length >= 1,
      20,
      'the first activities'
    )
    const [create] = receivedActivities('Create', id)
    expect(create).toMatchObject({
      id: `${id}/activity`,
      actor: `${site.url}/accounts/alice`,
      to: ['https://www.w3.org/ns/activitystreams#Public'],
      cc: [`${site.url}/accounts/alice/followers`]
    })
    expect(
      receivedActivities('Announce', id)
        .map(activity => activity.actor)
        .sort()
    ).toEqual([`${site.url}/accounts/peertube`, `${site.url}/video-channels/alice_channel`])

    const response = await fetchDocument(`videos/watch/${uuid}`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/activity+json; charset=utf-8'])
    const parsed = parseVideoObject(response.json)
    expect(parsed).toMatchObject({
      id,
      uuid,
      name: 'First',
      duration: 2,
      public: true,
      category: 2,
      licence: 1,
      language: 'en',
      tags: ['one'],
      content: 'Words',
      support: 'Thanks',
      state: 1,
      commentsPolicy: 1,
      account: `${site.url}/accounts/alice`,
      channel: `${site.url}/video-channels/alice_channel`
    })
    expect(response.json.url[0]).toMatchObject({ mediaType: 'text/html' })
    expect([parsed.icons.length, parsed.playlist!.files.length > 0, parsed.storyboard !== null, response.json.hasParts]).toEqual([
      2,
      true,
      true,
      `${id}/chapters`
    ])
    expect((await fetch(parsed.playlist!.url)).status).toBe(200)
    expect((await fetch(parsed.playlist!.segmentsSha256Url!)).status).toBe(200)
    expect((await fetch(parsed.playlist!.files[0]!.url, { method: 'HEAD' })).status).toBe(200)
    expect((await fetchDocument(`w/${(await site.call(`GET /videos/${uuid}`)).json.shortUUID}`)).json).toEqual(response.json)
    expect((await fetchDocument(`videos/watch/${uuid}/activity`)).json).toMatchObject({ type: 'Create', object: { id } })
    expect((await fetchDocument(`videos/watch/${uuid}/chapters`)).json).toMatchObject({ hasPart: [] })
    expect((await fetchDocument(`videos/watch/${uuid}/announces`)).json).toMatchObject({ type: 'OrderedCollection', totalItems: 2 })
    const announces = (await fetchDocument(`videos/watch/${uuid}/announces?page=1`)).json.orderedItems
    expect((await fetchDocument(announces[0].slice(site.url.length + 1))).json).toMatchObject({
      type: 'Announce',
      id: announces[0],
      object: id
    })
    expect((await fetchDocument('accounts/alice/outbox?page=1')).json.orderedItems.map((activity: any) => activity.object.id)).toContain(id)
    expect(
      (await fetchDocument('video-channels/alice_channel/outbox?page=1')).json.orderedItems.map((activity: any) => activity.object)
    ).toContain(id)
    expect((await fetchDocument('accounts/peertube/outbox?page=1')).json.orderedItems.map((activity: any) => activity.object)).toContain(id)

    await site.call(`PUT /videos/${uuid}`, { token: alice.token, body: { name: 'Second' } })
    await eventually(async () => receivedActivities('Update', id).some(activity => activity.object.name === 'Second'), 20, 'the edit')
    await site.call(`PUT /videos/${uuid}`, { token: alice.token, body: { privacy: 3 } })
    await eventually(async () => receivedActivities('Delete', id).length === 1, 20, 'the first Delete')
    await site.call(`PUT /videos/${uuid}`, { token: alice.token, body: { privacy: 1 } })
    await eventually(async () => receivedActivities('Create', id).length === 2, 20, 'the second Create')
    await site.call(`DELETE /videos/${uuid}`, { token: alice.token })
    await eventually(async () => receivedActivities('Delete', id).length === 2, 20, 'the second Delete')
    expect(new Set(receivedActivities('Delete', id).map(activity => activity.id)).size).toBe(2)
  }, 60_000)

  it('is not served to other servers while it is private, and not listed in collections unless it is public', async () => {
    const hidden = await uploadVideo(site, alice, { privacy: 3, name: 'Hidden' })
    const unlisted = await uploadVideo(site, alice, { privacy: 2, name: 'Unlisted' })
    const publicVideo = await uploadVideo(site, alice, { privacy: 1, name: 'Open' })
    for (const { uuid } of [hidden, unlisted, publicVideo]) await waitForTranscoding(site, alice, uuid)
    const suffixes = ['', '/activity', '/likes', '/dislikes', '/announces', '/comments', '/chapters']
    const statuses = async (uuid: string) =>
      await Promise.all(suffixes.map(async suffix => (await fetchDocument(`videos/watch/${uuid}${suffix}`)).status))
    expect(await statuses(hidden.uuid)).toEqual(suffixes.map(() => 404))
    expect(await statuses(unlisted.uuid)).toEqual(suffixes.map(() => 200))
    expect((await fetchDocument(`videos/watch/${unlisted.uuid}`)).json).toMatchObject({ to: [], cc: [] })
    await eventually(
      async () => receivedActivities('Create', `${site.url}/videos/watch/${publicVideo.uuid}`).length === 1,
      20,
      'the public one'
    )
    for (const path of ['accounts/alice', 'video-channels/alice_channel', 'accounts/peertube']) {
      const text = (await fetchDocument(`${path}/outbox?page=1`)).text
      expect([text.includes(hidden.uuid), text.includes(unlisted.uuid), text.includes(publicVideo.uuid)]).toEqual([false, false, true])
    }
    await site.call(`PUT /videos/${publicVideo.uuid}`, { token: alice.token, body: { privacy: 3 } })
    expect(await statuses(publicVideo.uuid)).toEqual(suffixes.map(() => 404))
    expect((await fetchDocument('accounts/alice/outbox?page=1')).text).not.toContain(publicVideo.uuid)
    await eventually(
      async () => receivedActivities('Delete', `${site.url}/videos/watch/${publicVideo.uuid}`).length === 1,
      20,
      'the Delete'
    )
    expect(peer.received.some(({ raw }) => raw.includes(hidden.uuid) || raw.includes(unlisted.uuid))).toBe(false)
  }, 60_000)

  it('sends many counter changes in one Update per interval', async () => {
    const { uuid, id: videoId } = await uploadVideo(site, alice, { name: 'Liked' })
    const id = `${site.url}/videos/watch/${uuid}`
    await waitForTranscoding(site, alice, uuid)
    await eventually(async () => receivedActivities('Create', id).length === 1, 20, 'the video')
    const counterUpdates = () => receivedActivities('Update', id).filter(activity => activity.object.views > 0)
    for (let count = 0; count < 300; count++)
      await runQuery(sql`UPDATE videos SET ${countersDueSql()}, views = views + 1 WHERE id = ${videoId}`)
    await eventually(async () => counterUpdates().some(activity => activity.object.views === 300), 20, 'the counters')
    await eventually(
      async () => (await runQuery(sql`SELECT 1 FROM videos WHERE id = ${videoId} AND counters_due_at IS NOT NULL`)).length === 0,
      10,
      'no due counters'
    )
    expect(counterUpdates().length).toBeLessThanOrEqual(2)
  }, 60_000)
})
