import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from '../test/hostile-peer.ts'
import { seedVideo } from '../test/seed-video.ts'
import { resolveActor } from '../actors/resolve-actor.ts'
import { config } from '../core/config.ts'
import { wipeRedis } from '../test/fault-injection.ts'

const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
let site: TestInstance
let root: string
let good: HostilePeer
let evil: HostilePeer
let owner: HostileActor
let other: HostileActor
let channel: HostileActor
let instance: HostileActor
let stranger: HostileActor
let evilChannel: HostileActor

const inbox = () => `${site.url}/inbox`
/** A video of the good server, served there; nothing of it was sent yet. */
function film(more: Record<string, unknown> = {}, at = good, by = owner, of = channel): any {
  const uuid = randomUUID()
  const id = `${at.url}/videos/watch/${uuid}`
  const document = {
    type: 'Video',
    id,
    uuid,
    name: 'A far film',
    duration: 'PT42S',
    views: 5,
    published: '2026-11-01T00:00:00.000Z',
    updated: '2026-11-01T00:00:00.000Z',
    to: [PUBLIC],
    cc: [],
    url: [
      { type: 'Link', mediaType: 'text/html', href: id },
      {
        type: 'Link',
        mediaType: 'application/x-mpegURL',
        href: `${at.url}/hls/${uuid}/master.m3u8`,
        tag: [
          { type: 'Link', mediaType: 'video/mp4', href: `${at.url}/hls/${uuid}/720.mp4`, height: 720, width: 1280, size: 1000, fps: 25 }
        ]
      }
    ],
    icon: [{ type: 'Image', url: `${at.url}/pictures/${uuid}.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 }],
    attributedTo: [
      { type: 'Person', id: by.url },
      { type: 'Group', id: of.url }
    ],
    commentsPolicy: 1,
    ...more
  }
  at.serve(new URL(String(document.id)).pathname, { '@context': 'https://www.w3.org/ns/activitystreams', ...document })
  return document
}
const create = async (object: any, by = owner, at = good) =>
  await at.post(inbox(), { type: 'Create', id: `${object.id}/activity`, actor: by.url, to: [PUBLIC], object })
const update = async (object: any, by = owner, at = good) =>
  await at.post(inbox(), { type: 'Update', id: at.id(), actor: by.url, to: [PUBLIC], object })
const quiet = async () =>
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0, 30, 'quiet')
const stored = async (url: string) =>
  (
    await runQuery<{ id: number; uuid: string; name: string; views: string; privacy: number; url: string }>(
      sql`SELECT id, uuid::text, name, views, privacy, url FROM videos WHERE url = ${url}`
    )
  )[0]
const arrived = async (object: any, by = owner, at = good) => {
  await create(object, by, at)
  return await eventually(async () => await stored(object.id), 15, 'the video')
}

beforeAll(async () => {
  site = await startTestInstance({
    storyboards: { enabled: true },
    federation: { videos: { max_view_jump: 1000 }, crawl: { interval: 1000 } },
    jobs: { timers_interval: 300 }
  })
  root = await site.login()
  good = await startHostilePeer()
  evil = await startHostilePeer()
  owner = await good.actor('owner')
  other = await good.actor('other')
  channel = await good.actor('films', 'Group', { attributedTo: [{ type: 'Person', id: owner.url }] })
  instance = await good.actor('peertube', 'Application')
  stranger = await evil.actor('stranger')
  evilChannel = await evil.actor('evil', 'Group', { attributedTo: [{ type: 'Person', id: stranger.url }] })
  // Both are followed: what they say is heard.
  for (const at of [good, evil]) {
    const follower = at === good ? instance : stranger
    await at.post(inbox(), { type: 'Follow', id: at.id(), actor: follower.url, object: `${site.url}/accounts/peertube` })
  }
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows WHERE state = 'accepted'`)).length === 2, 20, 'the follows')
}, 60_000)
afterAll(async () => {
  await good?.stop()
  await evil?.stop()
  await site?.stop()
})

describe('a video of another server', () => {
  it('is created, shown, changed by its owner and deleted', async () => {
    const object = film()
    const { uuid } = await arrived(object)
    const { json } = await site.call(`GET /videos/${uuid}`)
    expect(json).toMatchObject({
      name: 'A far film',
      isLocal: false,
      url: object.id,
      duration: 42,
      views: 5,
      channel: { name: 'films', host: good.host },
      account: { name: 'owner' },
      streamingPlaylists: [{ playlistUrl: object.url[1].href, files: [{ fileUrl: object.url[1].tag[0].href, resolution: { id: 720 } }] }]
    })
    expect((await site.call(`GET /videos?isLocal=false`)).json.data.map((one: any) => one.uuid)).toContain(uuid)
    expect(
      (await site.call(`GET //videos/watch/${uuid}`, { headers: { accept: 'application/activity+json' } })).headers.get('location')
    ).toBe(object.id)
    await update({ ...object, name: 'A farther film', updated: '2026-11-02T00:00:00.000Z' })
    await eventually(async () => (await stored(object.id))!.name === 'A farther film', 15, 'the edit')
    await good.post(inbox(), { type: 'Delete', id: `${object.id}/delete`, actor: owner.url, object: object.id })
    await eventually(async () => !(await stored(object.id)), 15, 'the deletion')
    expect((await site.call(`GET /videos/${uuid}`)).status).toBe(404)
  })

  it('is brought by an Announce of its channel or instance, and the share taken back by who shared', async () => {
    const object = film()
    const announce = { type: 'Announce', id: `${object.id}/announces/1`, actor: channel.url, to: [PUBLIC], object: object.id }
    await good.post(inbox(), announce)
    await eventually(async () => await stored(object.id), 15, 'the video')
    const shares = async () =>
      (await runQuery(sql`SELECT 1 FROM video_shares s JOIN videos v ON v.id = s.video_id WHERE v.url = ${object.id}`)).length
    await eventually(async () => (await shares()) === 1)
    await evil.post(inbox(), { type: 'Undo', id: evil.id(), actor: stranger.url, object: { ...announce, actor: stranger.url } })
    await good.post(inbox(), { type: 'Undo', id: good.id(), actor: other.url, object: { ...announce, actor: other.url } })
    await quiet()
    expect(await shares()).toBe(1)
    await good.post(inbox(), { type: 'Undo', id: good.id(), actor: channel.url, object: announce })
    await eventually(async () => (await shares()) === 0, 15, 'the undo')
  })
})

describe('attacks', () => {
  it('Update by a stranger, of another server or of the same one, changes nothing', async () => {
    const object = film()
    await arrived(object)
    const changed = { ...object, name: 'Taken over', updated: '2026-11-03T00:00:00.000Z' }
    await update(changed, stranger, evil)
    await update({ ...changed, attributedTo: [stranger.url, evilChannel.url] }, stranger, evil)
    await update(changed, other)
    await update({ ...changed, attributedTo: [other.url, channel.url] }, other)
    await quiet()
    expect(await stored(object.id)).toMatchObject({ name: 'A far film' })
  })

  it('owners of another server, and channels that deny their owner, bring no video', async () => {
    const foreign = film(
      {
        attributedTo: [
          { type: 'Person', id: stranger.url },
          { type: 'Group', id: channel.url }
        ]
      },
      evil,
      stranger,
      channel
    )
    await create(foreign, stranger, evil)
    const denied = film({
      attributedTo: [
        { type: 'Person', id: other.url },
        { type: 'Group', id: channel.url }
      ]
    })
    await create(denied, other)
    const byOther = film()
    await create(byOther, other)
    await evil.post(inbox(), { type: 'Announce', id: evil.id(), actor: evilChannel.url, object: foreign.id })
    await quiet()
    expect([await stored(foreign.id), await stored(denied.id), await stored(byOther.id)]).toEqual([undefined, undefined, undefined])
  })

  it('Delete by anybody but the owner or the channel has no effect', async () => {
    const object = film()
    await arrived(object)
    await evil.post(inbox(), { type: 'Delete', id: `${object.id}/delete`, actor: stranger.url, object: object.id })
    await good.post(inbox(), { type: 'Delete', id: `${object.id}/delete`, actor: other.url, object: object.id })
    await good.post(inbox(), { type: 'Delete', id: good.id(), actor: other.url, object: { type: 'Video', id: object.id } })
    await quiet()
    expect(await stored(object.id)).toBeDefined()
  })

  it('Announces of strangers make nobody ask, and a flood of them is bounded', async () => {
    const lonely = await startHostilePeer()
    try {
      const nobody = await lonely.actor('nobody', 'Application')
      for (let place = 0; place < 20; place++)
        await lonely.post(inbox(), {
          type: 'Announce',
          id: lonely.id(),
          actor: nobody.url,
          object: `${good.url}/videos/watch/none-${place}`
        })
      await quiet()
      expect(good.asked.filter(path => path.includes('none-'))).toEqual([])
      expect(lonely.asked.filter(path => !path.startsWith('/accounts/') && !path.startsWith('/.well-known/'))).toEqual([])
    } finally {
      await lonely.stop()
    }
    const before = evil.asked.length
    const { max } = config.federation.fetch.per_host
    await Promise.all(
      Array.from(
        { length: max + 60 },
        async (_, place) =>
          await evil.post(inbox(), {
            type: 'Announce',
            id: evil.id(),
            actor: evilChannel.url,
            object: `${evil.url}/videos/watch/many-${place}`
          })
      )
    )
    await quiet()
    expect(evil.asked.length - before).toBeLessThanOrEqual(max)
  }, 60_000)

  it('a UUID that is taken leaves the video that has it alone', async () => {
    const { uuid } = await seedVideo({ channelId: (await site.call('GET /users/me', { token: root })).json.videoChannels[0].id })
    const first = film()
    await arrived(first)
    const [mine, second] = [film({ uuid }), film({ uuid: first.uuid })]
    await arrived(mine)
    await arrived(second)
    expect((await site.call(`GET /videos/${uuid}`)).json).toMatchObject({ name: 'A seed', isLocal: true })
    expect((await site.call(`GET /videos/${first.uuid}`)).json.url).toBe(first.id)
    const own = await stored(mine.id)
    expect(own!.uuid).not.toBe(uuid)
    expect((await site.call(`GET /videos/${own!.uuid}`)).json.url).toBe(mine.id)
    await update({ ...second, name: 'Still itself', updated: '2026-11-05T00:00:00.000Z' })
    await eventually(async () => (await stored(second.id))!.name === 'Still itself')
    expect((await stored(first.id))!.name).toBe('A far film')
  })

  it('the views of a video are its origin’s, and do not jump beyond reason', async () => {
    const object = film({ views: 2_000_000_000 })
    await arrived(object)
    expect(Number((await stored(object.id))!.views)).toBe(1000)
    await update({ ...object, views: 1500, updated: '2026-11-06T00:00:00.000Z' })
    await eventually(async () => Number((await stored(object.id))!.views) === 1500)
    await update({ ...object, views: 9_999_999 }, stranger, evil)
    await quiet()
    expect(Number((await stored(object.id))!.views)).toBe(1500)
  })

  it('Update before Create makes the video, an older message changes nothing, and Delete before Create stays', async () => {
    const object = film({ name: 'Newer', updated: '2026-11-09T00:00:00.000Z' })
    await update(object)
    await eventually(async () => await stored(object.id))
    await create({ ...object, name: 'Older', updated: '2026-11-01T00:00:00.000Z' })
    await update({ ...object, name: 'Older still', updated: '2026-10-01T00:00:00.000Z' })
    await quiet()
    expect((await stored(object.id))!.name).toBe('Newer')
    const gone = film()
    good.serve(new URL(gone.id).pathname, (_request, response) => void response.writeHead(410).end())
    await good.post(inbox(), { type: 'Delete', id: `${gone.id}/delete`, actor: owner.url, object: gone.id })
    await quiet()
    await create(gone)
    await update(gone)
    await quiet()
    expect(await stored(gone.id)).toBeUndefined()
  })

  it('HTML and controls of strangers become words', async () => {
    const object = film({
      name: 'x\u202egpj<script>',
      mediaType: 'text/html',
      content:
        '<p>One<svg onload=alert(1)></p><script>alert(1)</script><a href="javascript:alert(1)">two</a> &lt;img src=x onerror=alert(1)&gt;',
      tag: [{ type: 'Hashtag', name: 'a\u2066b' }],
      support: '<b>x</b>'
    })
    const { uuid } = await arrived(object)
    const { json } = await site.call(`GET /videos/${uuid}`)
    expect([json.name, json.tags, json.description.includes('<script>'), json.description.includes('onload')]).toEqual([
      'xgpj<script>',
      ['ab'],
      false,
      false
    ])
    const page = (await site.call(`GET //w/${json.shortUUID}`, { headers: { accept: 'text/html' } })).text
    expect([
      page.includes('<svg onload'),
      page.includes('<img src=x'),
      page.includes('javascript:alert'),
      page.includes('gpj<script>')
    ]).toEqual([false, false, false, false])
    const nested = film({ content: '<b>'.repeat(300_000), mediaType: 'text/html' })
    await arrived(nested)
  })

  it('the pictures of remote actors come through us, each at a name of its own, and go when they are taken away', async () => {
    const picture = (file: string) => ({
      type: 'Image',
      url: `${good.url}/pictures/${file}`,
      mediaType: 'image/png',
      width: 120,
      height: 120
    })
    const png = Buffer.from('\x89PNG\r\n', 'latin1')
    for (const file of ['one.png', 'two.png'])
      good.serve(`/pictures/${file}`, (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(png))
    const owned = await good.actor('painter', 'Group', {
      attributedTo: [{ type: 'Person', id: owner.url }],
      icon: [picture('one.png')],
      image: picture('two.png')
    })
    await arrived(film({}, good, owner, owned))
    const handle = `painter@${good.host}`
    const shown = async () => (await site.call(`GET /video-channels/${handle}`)).json
    const {
      avatars: [avatar],
      banners: [banner]
    } = await shown()
    for (const { path } of [avatar, banner])
      expect(Buffer.from(await (await fetch(`${site.url}${path}`)).arrayBuffer()).equals(png)).toBe(true)
    good.serve(new URL(owned.url).pathname, {
      ...owned.document,
      icon: [picture('two.png')],
      image: { type: 'Image', url: 'http://169.254.169.254/x.png' }
    })
    await resolveActor(owned.url, { refresh: true })
    const later = await shown()
    expect(later.avatars[0].path).not.toBe(avatar.path)
    expect((await fetch(`${site.url}${avatar.path}`)).status).toBe(404)
    good.serve(new URL(owned.url).pathname, { ...owned.document, icon: undefined, image: null })
    await resolveActor(owned.url, { refresh: true })
    expect(await shown()).toMatchObject({ avatars: [], banners: [] })
  })

  it('only what a row names is fetched, within its type and size', async () => {
    const object = film()
    const [jpeg, html, large] = [
      Buffer.from('\xff\xd8\xff\xe0jpeg', 'latin1'),
      Buffer.from('<script>1</script>'),
      Buffer.alloc(config.federation.fetch.max_image_size + 1)
    ]
    const path = new URL(object.icon[0].url).pathname
    let type = 'text/html'
    let body: Buffer = html
    good.serve(path, (_request, response) => void response.writeHead(200, { 'content-type': type }).end(body))
    const { uuid } = await arrived(object)
    const { thumbnailPath } = (await site.call(`GET /videos/${uuid}`)).json
    expect((await site.call(`GET /${thumbnailPath}`)).status).toBe(404)
    const again = async () => {
      // A new address is a new name, of which nothing is remembered.
      object.icon[0].url = `${good.url}${path}?${Math.random()}`
      object.updated = new Date(Date.parse(object.updated) + 1000).toISOString()
      const { thumbnailPath: before } = (await site.call(`GET /videos/${uuid}`)).json
      await update(object)
      await eventually(async () => (await site.call(`GET /videos/${uuid}`)).json.thumbnailPath !== before)
      return (await site.call(`GET /videos/${uuid}`)).json.thumbnailPath
    }
    type = 'image/jpeg'
    body = large
    expect((await site.call(`GET /${await again()}`)).status).toBe(404)
    body = jpeg
    const shown = await fetch(`${site.url}${await again()}`)
    expect([shown.status, shown.headers.get('content-type'), Buffer.from(await shown.arrayBuffer()).equals(jpeg)]).toEqual([
      200,
      'image/jpeg',
      true
    ])
    const asked = good.asked.length
    for (const name of [
      encodeURIComponent(object.icon[0].url),
      `${randomUUID()}.jpg`,
      '..%2f..%2fetc%2fpasswd',
      `${randomUUID()}.jpg?url=${encodeURIComponent(good.url)}`
    ]) {
      for (const folder of ['thumbnails', 'previews', 'storyboards', 'video-captions'])
        expect((await site.call(`GET //lazy-static/${folder}/${name}`)).status).toBe(404)
    }
    expect(good.asked.length).toBe(asked)
  })
})

describe('what stands around a video', () => {
  const likes = async (id: string) => (await runQuery<{ likes: number }>(sql`SELECT likes FROM videos WHERE url = ${id}`))[0]?.likes
  const count = (id: string, totalItems: number) =>
    good.serve(`${new URL(id).pathname}/likes`, { type: 'OrderedCollection', id: `${id}/likes`, totalItems })

  it('is asked for until its origin answers, though Redis is wiped meanwhile', async () => {
    const object = film()
    object.likes = `${object.id}/likes`
    good.serve(`${new URL(object.id).pathname}/likes`, (_request, response) => void response.writeHead(502).end())
    await arrived(object)
    await eventually(async () => good.asked.some(path => path.endsWith(`${object.uuid}/likes`)), 10, 'the first question')
    await wipeRedis(config.redis.prefix)
    count(object.id, 9)
    await eventually(async () => (await likes(object.id)) === 9, 20, 'the likes')
    const asked = good.asked.length
    await new Promise(resolve => setTimeout(resolve, 2500))
    expect(good.asked.slice(asked).filter(path => path.includes(object.uuid))).toEqual([])
  }, 60_000)

  it('is what was said last, though an older answer comes later', async () => {
    const object = film()
    object.likes = `${object.id}/likes`
    let answer: () => void = () => undefined
    good.serve(`${new URL(object.id).pathname}/likes`, (_request, response) => {
      answer = () =>
        void response
          .writeHead(200, { 'content-type': 'application/activity+json' })
          .end(JSON.stringify({ type: 'OrderedCollection', id: object.likes, totalItems: 1 }))
    })
    await arrived(object)
    await eventually(async () => good.asked.some(path => path.endsWith(`${object.uuid}/likes`)), 10, 'the first question')
    count(object.id, 2)
    await update({ ...object, name: 'Said again' })
    await eventually(async () => (await likes(object.id)) === 2, 20, 'the new likes')
    answer()
    await new Promise(resolve => setTimeout(resolve, 500))
    expect(await likes(object.id)).toBe(2)
  }, 60_000)
})
