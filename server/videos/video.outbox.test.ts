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
let fan: HostileActor
const document = async (path: string) => await site.call(`GET //${path}`, { headers: { accept: 'application/activity+json' } })
const heard = (type: string, about: string) =>
  peer.received.map(one => one.activity).filter(one => one.type === type && (one.object?.id ?? one.object) === about)

beforeAll(async () => {
  site = await startTestInstance({ storyboards: { enabled: true }, federation: { videos: { counters_interval: '2 seconds' } } })
  alice = await site.user('alice')
  peer = await startHostilePeer()
  fan = await peer.actor('fan')
  for (const target of ['accounts/alice', 'video-channels/alice_channel', 'accounts/peertube']) {
    await peer.post(`${site.url}/inbox`, { type: 'Follow', id: peer.id(), actor: fan.url, object: `${site.url}/${target}` })
  }
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 3, 20, 'the follows')
})
afterAll(async () => {
  await peer?.stop()
  await site?.stop()
})

describe('a video of ours', () => {
  it('is told to followers of account, channel and instance, is read by its address, changes and goes', async () => {
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
      async () => heard('Create', id).length === 1 && heard('Announce', id).length === 2 && heard('Update', id).length >= 1,
      20,
      'the news'
    )
    const [create] = heard('Create', id)
    expect(create).toMatchObject({
      id: `${id}/activity`,
      actor: `${site.url}/accounts/alice`,
      to: ['https://www.w3.org/ns/activitystreams#Public'],
      cc: [`${site.url}/accounts/alice/followers`]
    })
    expect(
      heard('Announce', id)
        .map(one => one.actor)
        .sort()
    ).toEqual([`${site.url}/accounts/peertube`, `${site.url}/video-channels/alice_channel`])

    const answer = await document(`videos/watch/${uuid}`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/activity+json; charset=utf-8'])
    const read = parseVideoObject(answer.json)
    expect(read).toMatchObject({
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
    expect(answer.json.url[0]).toMatchObject({ mediaType: 'text/html' })
    expect([read.icons.length, read.playlist!.files.length > 0, read.storyboard !== null, answer.json.hasParts]).toEqual([
      2,
      true,
      true,
      `${id}/chapters`
    ])
    expect((await fetch(read.playlist!.url)).status).toBe(200)
    expect((await fetch(read.playlist!.segmentsSha256Url!)).status).toBe(200)
    expect((await fetch(read.playlist!.files[0]!.url, { method: 'HEAD' })).status).toBe(200)
    expect((await document(`w/${(await site.call(`GET /videos/${uuid}`)).json.shortUUID}`)).json).toEqual(answer.json)
    expect((await document(`videos/watch/${uuid}/activity`)).json).toMatchObject({ type: 'Create', object: { id } })
    expect((await document(`videos/watch/${uuid}/chapters`)).json).toMatchObject({ hasPart: [] })
    expect((await document(`videos/watch/${uuid}/announces`)).json).toMatchObject({ type: 'OrderedCollection', totalItems: 2 })
    const announces = (await document(`videos/watch/${uuid}/announces?page=1`)).json.orderedItems
    expect((await document(announces[0].slice(site.url.length + 1))).json).toMatchObject({ type: 'Announce', id: announces[0], object: id })
    expect((await document('accounts/alice/outbox?page=1')).json.orderedItems.map((one: any) => one.object.id)).toContain(id)
    expect((await document('video-channels/alice_channel/outbox?page=1')).json.orderedItems.map((one: any) => one.object)).toContain(id)
    expect((await document('accounts/peertube/outbox?page=1')).json.orderedItems.map((one: any) => one.object)).toContain(id)

    await site.call(`PUT /videos/${uuid}`, { token: alice.token, body: { name: 'Second' } })
    await eventually(async () => heard('Update', id).some(one => one.object.name === 'Second'), 20, 'the edit')
    await site.call(`PUT /videos/${uuid}`, { token: alice.token, body: { privacy: 3 } })
    await eventually(async () => heard('Delete', id).length === 1, 20, 'the first farewell')
    await site.call(`PUT /videos/${uuid}`, { token: alice.token, body: { privacy: 1 } })
    await eventually(async () => heard('Create', id).length === 2, 20, 'the return')
    await site.call(`DELETE /videos/${uuid}`, { token: alice.token })
    await eventually(async () => heard('Delete', id).length === 2, 20, 'the last farewell')
    expect(new Set(heard('Delete', id).map(one => one.id)).size).toBe(2)
  }, 60_000)

  it('is found nowhere by other servers while it is private, unlisted in collections, or was deleted', async () => {
    const hidden = await uploadVideo(site, alice, { privacy: 3, name: 'Hidden' })
    const unlisted = await uploadVideo(site, alice, { privacy: 2, name: 'Unlisted' })
    const open = await uploadVideo(site, alice, { privacy: 1, name: 'Open' })
    for (const { uuid } of [hidden, unlisted, open]) await waitForTranscoding(site, alice, uuid)
    const parts = ['', '/activity', '/likes', '/dislikes', '/announces', '/comments', '/chapters']
    const statuses = async (uuid: string) =>
      await Promise.all(parts.map(async part => (await document(`videos/watch/${uuid}${part}`)).status))
    expect(await statuses(hidden.uuid)).toEqual(parts.map(() => 404))
    expect(await statuses(unlisted.uuid)).toEqual(parts.map(() => 200))
    expect((await document(`videos/watch/${unlisted.uuid}`)).json).toMatchObject({ to: [], cc: [] })
    await eventually(async () => heard('Create', `${site.url}/videos/watch/${open.uuid}`).length === 1, 20, 'the open one')
    for (const path of ['accounts/alice', 'video-channels/alice_channel', 'accounts/peertube']) {
      const text = (await document(`${path}/outbox?page=1`)).text
      expect([text.includes(hidden.uuid), text.includes(unlisted.uuid), text.includes(open.uuid)]).toEqual([false, false, true])
    }
    await site.call(`PUT /videos/${open.uuid}`, { token: alice.token, body: { privacy: 3 } })
    expect(await statuses(open.uuid)).toEqual(parts.map(() => 404))
    expect((await document('accounts/alice/outbox?page=1')).text).not.toContain(open.uuid)
    await eventually(async () => heard('Delete', `${site.url}/videos/watch/${open.uuid}`).length === 1, 20, 'the farewell')
    expect(peer.received.some(one => one.raw.includes(hidden.uuid) || one.raw.includes(unlisted.uuid))).toBe(false)
  }, 60_000)

  it('tells a storm of counters with one message at a time', async () => {
    const { uuid, id: number } = await uploadVideo(site, alice, { name: 'Liked' })
    const id = `${site.url}/videos/watch/${uuid}`
    await waitForTranscoding(site, alice, uuid)
    await eventually(async () => heard('Create', id).length === 1, 20, 'the video')
    const told = () => heard('Update', id).filter(one => one.object.views > 0)
    for (let time = 0; time < 300; time++)
      await runQuery(sql`UPDATE videos SET ${countersDueSql()}, views = views + 1 WHERE id = ${number}`)
    await eventually(async () => told().some(one => one.object.views === 300), 20, 'the counters')
    await eventually(
      async () => (await runQuery(sql`SELECT 1 FROM videos WHERE id = ${number} AND counters_due_at IS NOT NULL`)).length === 0,
      10,
      'quiet'
    )
    expect(told().length).toBeLessThanOrEqual(2)
  }, 60_000)
})
