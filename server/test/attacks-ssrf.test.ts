import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { config, instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'
import { recordConnectionAttempts, type ConnectionAttempts } from './connection-attempts.ts'
import { startHostilePeer, type HostilePeer, type HostileActor } from './hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'

let site: TestInstance
let root: string
let evil: HostilePeer
let trap: HostilePeer
let mallory: HostileActor
let channel: HostileActor
let attempts: ConnectionAttempts
beforeAll(async () => {
  site = await startTestInstance({
    internals: {
      inbox: { checkInterval: 100, viewsInterval: 50, retryDelay: 20, attempts: 2 },
      outbox: { checkInterval: 100, retryDelay: 50 }
    }
  })
  ;[evil, trap] = [await startHostilePeer(), await startHostilePeer()]
  root = await site.login()
  mallory = await evil.actor('mallory')
  channel = await evil.actor('mallory_channel', 'Group', { attributedTo: [{ type: 'Person', id: mallory.url }] })
  // Known, followed and following, so that all of its activities are processed.
  for (const actor of [mallory, channel])
    await evil.post(`${site.url}/inbox`, {
      id: evil.id(),
      type: 'Follow',
      actor: actor.url,
      object: `${instanceOrigin()}/accounts/peertube`
    })
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM follows`)).length === 2, 15, 'the follows')
  await runQuery(
    sql`INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
      SELECT ${`${instanceOrigin()}/follows/`} || theirs.id, ours.id, theirs.id, 'accepted', now(), now() FROM actors ours, actors theirs
      WHERE ours.host IS NULL AND ours.preferred_username = 'peertube' AND theirs.host IS NOT NULL`
  )
  attempts = recordConnectionAttempts([Number(new URL(site.url).port)])
})
afterAll(async () => {
  attempts?.stop()
  await Promise.all([site, evil, trap].map(async one => await one?.stop()))
})
beforeEach(async () => {
  await eventually(
    async () => (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL UNION ALL SELECT 1 FROM deliveries LIMIT 1`)).length === 0,
    15,
    'quiet'
  )
  attempts.seen.length = trap.asked.length = trap.received.length = 0
})

const postActivity = async (activity: object, as = mallory) =>
  (await evil.post(`${site.url}/inbox`, { id: evil.id(), actor: as.url, to: [AS_PUBLIC], ...activity }, { as })).status

/** Returns a video document on the evil host whose files, images and collections are below `base`. */
function videoWithUrlsBelow(base: string) {
  const uuid = randomUUID()
  const id = `${evil.url}/videos/watch/${uuid}`
  const link = (mediaType: string, name: string, more: object = {}) => ({
    type: 'Link',
    mediaType,
    href: `${base}/${name}`,
    height: 720,
    width: 1280,
    size: 1000,
    fps: 30,
    ...more
  })
  return {
    type: 'Video',
    id,
    uuid,
    name: 'A trap',
    duration: 'PT42S',
    views: 7,
    published: new Date().toISOString(),
    updated: new Date().toISOString(),
    to: [AS_PUBLIC],
    cc: [],
    attributedTo: [
      { type: 'Person', id: mallory.url },
      { type: 'Group', id: channel.url }
    ],
    icon: [280, 850].map(width => ({
      type: 'Image',
      url: `${base}/icon-${width}.jpg`,
      mediaType: 'image/jpeg',
      width,
      height: Math.round((width * 9) / 16)
    })),
    subtitleLanguage: [{ identifier: 'en', name: 'English', url: `${base}/caption.vtt` }],
    preview: [
      {
        type: 'Image',
        rel: ['storyboard'],
        url: [
          {
            mediaType: 'image/jpeg',
            href: `${base}/storyboard.jpg`,
            width: 1920,
            height: 1080,
            tileWidth: 192,
            tileHeight: 108,
            tileDuration: 'PT1S'
          }
        ]
      }
    ],
    url: [
      link('video/mp4', 'v.mp4'),
      link('application/x-bittorrent', 'v.torrent'),
      link('application/x-mpegURL', 'v.m3u8', {
        tag: [{ type: 'Link', name: 'sha256', mediaType: 'application/json', href: `${base}/sha256.json` }, link('video/mp4', 'h.mp4')]
      })
    ],
    likes: `${base}/likes`,
    dislikes: `${base}/dislikes`,
    shares: `${base}/shares`,
    comments: `${base}/comments`,
    hasParts: `${base}/chapters`
  }
}

/** Stores rows with file URLs below `base`, while that is not refused yet; returns their paths below /lazy-static. */
async function storeUrlsBelow(base: string): Promise<string[]> {
  const video = videoWithUrlsBelow(base)
  evil.serve(new URL(video.id).pathname, video as never)
  expect(await postActivity({ type: 'Create', object: video })).toBe(202)
  const playlist = {
    type: 'Playlist',
    id: evil.id('playlists'),
    uuid: randomUUID(),
    name: 'A trap',
    content: '',
    totalItems: 0,
    attributedTo: [channel.url],
    published: video.published,
    updated: video.published,
    icon: { type: 'Image', url: `${base}/playlist.jpg`, mediaType: 'image/jpeg', width: 280, height: 157 },
    to: [AS_PUBLIC]
  }
  evil.serve(new URL(playlist.id).pathname, playlist)
  expect(await postActivity({ type: 'Create', object: playlist })).toBe(202)
  const rows = async () =>
    await runQuery<{ path: string }>(sql`
    SELECT CASE kind WHEN 'preview' THEN 'previews/' ELSE 'thumbnails/' END || filename AS path
      FROM thumbnails WHERE url LIKE ${`${base}/%`}
    UNION ALL SELECT 'storyboards/' || filename FROM storyboards WHERE url LIKE ${`${base}/%`}
    UNION ALL SELECT 'video-captions/' || filename FROM video_captions WHERE url LIKE ${`${base}/%`}`)
  return (
    await eventually(
      async () => {
        const found = await rows()
        return found.length === 5 && found
      },
      10,
      'the rows'
    )
  ).map(({ path }) => path)
}

/** Triggers every feature that could make the instance request a URL below `base`. */
async function triggerRequestsTo(base: string): Promise<void> {
  const host = base.replace('http://', '')
  const uuid = randomUUID()
  const key = `${base}/keys/${uuid}`
  await evil.post(
    `${site.url}/inbox`,
    { id: `${base}/1`, type: 'Like', actor: key, object: `${instanceOrigin()}/videos/watch/1` },
    { as: { ...mallory, keyId: `${key}#main-key` } }
  )
  const id = evil.id('notes')
  const signature = { type: 'RsaSignature2017', creator: mallory.url, created: new Date().toISOString(), signatureValue: 'AAAA' }
  for (const activity of [
    {
      type: 'Create',
      object: {
        type: 'Note',
        id,
        content: 'x',
        attributedTo: mallory.url,
        inReplyTo: `${base}/in-reply-to`,
        published: new Date().toISOString(),
        to: [AS_PUBLIC]
      }
    },
    { type: 'Create', object: videoWithUrlsBelow(base) },
    { type: 'Announce', object: `${base}/announced` },
    { type: 'Move', object: mallory.url, target: `${base}/moved` },
    {
      type: 'Update',
      object: {
        ...mallory.document,
        icon: { type: 'Image', url: `${base}/avatar.jpg` },
        inbox: `${base}/inbox`,
        endpoints: { sharedInbox: `${base}/inbox` }
      }
    },
    {
      id: `${base}/${uuid}/1`,
      type: 'Create',
      actor: `${base}/accounts/x`,
      object: { type: 'Video', id: `${base}/forwarded/${uuid}`, attributedTo: `${base}/accounts/x` }
    },
    { id: `${base}/${uuid}/2`, type: 'Delete', actor: `${base}/accounts/x`, object: `${base}/deleted/${uuid}` },
    {
      '@context': ['https://www.w3.org/ns/activitystreams', `${base}/context`],
      type: 'Create',
      object: { type: 'Note', id: `${id}/2`, content: 'x', attributedTo: mallory.url, inReplyTo: `${evil.url}/none` },
      signature
    },
    {
      id: `${base}/${uuid}/3`,
      type: 'Create',
      actor: `${base}/accounts/y`,
      object: { type: 'Note', id: `${base}/signed` },
      signature: { ...signature, creator: `${base}/creator` }
    },
    {
      id: `${base}/${uuid}/4`,
      type: 'Create',
      actor: `${base}/accounts/z`,
      object: { type: 'Note', id: `${base}/proven` },
      proof: {
        type: 'DataIntegrityProof',
        cryptosuite: 'eddsa-jcs-2022',
        proofPurpose: 'assertionMethod',
        verificationMethod: `${base}/accounts/z#k`,
        proofValue: 'z1'
      }
    },
    { type: 'Flag', object: [`${base}/flagged`], content: 'x' },
    { type: 'Like', object: `${base}/liked` },
    { type: 'View', object: `${base}/viewed` }
  ])
    await postActivity(activity, ['Announce'].includes(activity.type) ? channel : mallory)
  for (const search of [
    `videos?search=${encodeURIComponent(`${base}/videos/watch/${randomUUID()}`)}`,
    `video-channels?search=${encodeURIComponent(`${base}/video-channels/x`)}`,
    `video-channels?search=${encodeURIComponent(`x@${host}`)}`
  ]) {
    expect((await site.call(`GET /search/${search}`, { token: root })).json).toMatchObject({ total: 0 })
  }
  await site.call('POST /users/me/subscriptions', { token: root, body: { uri: `subscribed@${host}` } })
  await site.call('POST /server/following', { token: root, body: { hosts: [host], handles: [`followed@${host}`] } })
  const subject = `${instanceOrigin()}/videos/watch/1`
  await enqueueActivity({
    activity: { type: 'Update', id: `${subject}/${randomUUID()}`, actor: `${instanceOrigin()}/accounts/peertube`, object: subject },
    kind: 'base',
    audience: { inboxes: [`${base}/inbox`] },
    lane: DELIVERY_PRIORITY.NOW,
    subject
  })
  await eventually(
    async () =>
      (
        await runQuery(
          sql`SELECT 1 FROM incoming WHERE done_at IS NULL UNION ALL SELECT 1 FROM wanted_follows WHERE attempts = 0
            UNION ALL SELECT 1 FROM deliveries WHERE inbox_url LIKE ${`${base}/%`} AND attempts = 0`
        )
      ).length === 0,
    20,
    'all to be tried'
  )
}

it('no field of a remote activity makes the instance connect to a private address', async () => {
  const planted = await storeUrlsBelow(`${trap.url}/before`)
  await eventually(
    async () =>
      (await runQuery(sql`SELECT 1 FROM incoming WHERE done_at IS NULL`)).length === 0 &&
      ['chapters', 'likes', 'dislikes'].every(name => trap.asked.includes(`/before/${name}`)),
    15,
    'quiet'
  )
  config.federation.prevent_ssrf = true
  attempts.seen.length = trap.asked.length = evil.asked.length = 0
  const before = evil.received.length
  for (const path of planted) expect((await fetch(`${site.url}/lazy-static/${path}`)).status, path).toBe(404)
  for (const base of [trap.url, 'http://127.0.0.1', trap.url.replace('127.0.0.1', 'localhost'), 'http://[::ffff:169.254.169.254]'])
    await triggerRequestsTo(base)
  expect(attempts.seen).toEqual([])
  expect([trap.asked, trap.received, evil.asked, evil.received.slice(before)]).toEqual([[], [], [], []])
  // Deliveries to private addresses are not retried.
  expect(await runQuery(sql`SELECT inbox_url FROM deliveries WHERE inbox_url LIKE ${`${trap.url}/%`}`)).toEqual([])
}, 60_000)

it('the same activities reach the address if prevent_ssrf is off', async () => {
  config.federation.prevent_ssrf = false
  const planted = await storeUrlsBelow(`${trap.url}/after`)
  await runQuery(sql`DELETE FROM deliveries`)
  for (const path of planted) await fetch(`${site.url}/lazy-static/${path}`)
  await triggerRequestsTo(trap.url)
  const asked = () => new Set(trap.asked.map(path => path.replace(/[0-9a-f-]{36}/, 'x')))
  const expected = [
    '/keys/x',
    '/moved',
    '/chapters',
    '/likes',
    '/dislikes',
    '/in-reply-to',
    '/announced',
    '/forwarded/x',
    '/deleted/x',
    ...['icon-280.jpg', 'icon-850.jpg', 'caption.vtt', 'storyboard.jpg', 'playlist.jpg'].map(name => `/after/${name}`),
    '/videos/watch/x',
    '/video-channels/x',
    ...['x', 'subscribed', 'followed', 'peertube'].map(
      name => `/.well-known/webfinger?resource=${encodeURIComponent(`acct:${name}@${trap.host}`)}`
    )
  ]
  await eventually(async () => expected.every(path => asked().has(path)), 10, 'the trap').catch(() =>
    expect([...asked()]).toEqual(expect.arrayContaining(expected))
  )
  await eventually(async () => trap.received.some(one => one.path === '/inbox'), 10, 'the delivery')
  expect(attempts.seen).toContain(`127.0.0.1 ${new URL(trap.url).port}`)
  expect(trap.asked).not.toContain('/context')
}, 60_000)
