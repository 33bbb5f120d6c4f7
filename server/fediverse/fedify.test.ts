import { generateKeyPairSync } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startFedifyPeer, type FedifyPeer } from '../test/fedify-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { uploadVideo } from '../test/upload.ts'
import { verifyIntegrityProof } from './integrity-proof.ts'
import { parseUntrustedJson } from './untrusted-json.ts'
import { verifyLdSignature } from './ld-signature.ts'
import { sha256Base64, signCavage, signRfc9421 } from './http-signature.ts'

let site: TestInstance
let owner: Awaited<ReturnType<TestInstance['user']>>
let video: { id: number; uuid: string }
/** Scheme of the signature and path of every request to an inbox of this instance. */
const postedSignatures: string[] = []
const recordPost = (event: unknown) => {
  const { method, url, headers } = (event as { request: IncomingMessage }).request
  if (method === 'POST' && url!.endsWith('/inbox') && headers.host === new URL(site.url).host)
    postedSignatures.push(
      `${headers['signature-input'] !== undefined ? 'rfc9421' : headers.signature !== undefined ? 'cavage' : 'none'} ${url}`
    )
}
beforeAll(async () => {
  site = await startTestInstance({
    security: { actor_key_bits: 2048 },
    transcoding: { enabled: false },
    federation: { min_key_bits: 2048 },
    internals: { inbox: { checkInterval: 200 }, outbox: { checkInterval: 200, retryDelay: 200 } }
  })
  owner = await site.user('owner')
  video = await uploadVideo(site, owner, { name: 'Our video', description: 'A description' })
  await eventually(async () => (await site.call(`GET /videos/${video.uuid}`)).json.state?.id === 1, 60, 'the video to be published')
  subscribe('http.server.request.start', recordPost)
}, 120_000)
afterAll(async () => {
  unsubscribe('http.server.request.start', recordPost)
  await site?.stop()
})

describe.each(['cavage', 'rfc9421'] as const)('a Fedify server that uses %s', scheme => {
  let fedify: FedifyPeer
  beforeAll(async () => {
    fedify = await startFedifyPeer(scheme)
    fedify.wants = scheme
    postedSignatures.length = 0
  })
  afterAll(async () => await fedify?.stop())
  const waitForActivity = async (type: string, matches: (received: FedifyPeer['heard'][number]) => boolean = () => true) =>
    await eventually(async () => fedify.heard.find(received => received.type === type && matches(received)), 15, `${type} at Fedify`)
  const followState = async (from: string, to: string) =>
    (
      await runQuery<{ state: string }>(sql`
    SELECT state FROM follows JOIN actors follower ON follower.id = actor_id JOIN actors target ON target.id = target_id
      WHERE follower.url = ${from} AND target.url = ${to}`)
    )[0]?.state

  it('reads our actors and videos', async () => {
    for (const [path, kind] of [
      ['accounts/owner', 'Person'],
      ['video-channels/owner_channel', 'Group'],
      ['accounts/peertube', 'Application'],
      [`videos/watch/${video.uuid}`, 'Video']
    ] as const) {
      const document = await fedify.lookup(`${site.url}/${path}`)
      expect([document?.id?.href, document?.constructor.name]).toEqual([`${site.url}/${path}`, kind])
    }
    expect(await fedify.lookup(`${site.url}/videos/watch/${video.uuid}`)).toMatchObject({
      attributionIds: [new URL(`${site.url}/accounts/owner`), new URL(`${site.url}/video-channels/owner_channel`)]
    })
  })

  it('follows a channel, an account and the instance, and is accepted', async () => {
    for (const path of ['video-channels/owner_channel', 'accounts/owner', 'accounts/peertube']) {
      const target = `${site.url}/${path}`
      const id = await fedify.follow('alice', target)
      expect(await waitForActivity('Accept', received => received.object === id)).toMatchObject({ actor: target, scheme })
      expect(await followState(fedify.actor('alice'), target)).toBe('accepted')
    }
    expect(postedSignatures.length).toBeGreaterThanOrEqual(3)
    expect(postedSignatures.filter(received => !received.startsWith(scheme))).toEqual([])
    expect((await site.call('GET /video-channels/owner_channel')).json.followersCount).toBeGreaterThanOrEqual(1)
  })

  it('is followed by our users (a person and a group), and accepts', async () => {
    for (const name of ['alice', 'club'] as const) {
      expect(
        (await site.call('POST /users/me/subscriptions', { token: owner.token, body: { uri: `${name}@${fedify.host}` } })).status
      ).toBe(204)
      expect(await waitForActivity('Follow', received => received.object === fedify.actor(name))).toMatchObject({
        actor: `${site.url}/accounts/owner`,
        scheme
      })
      await eventually(
        async () => (await followState(`${site.url}/accounts/owner`, fedify.actor(name))) === 'accepted',
        15,
        `the acceptance of ${name}`
      )
    }
  })

  it('receives and verifies Create, Announce and Update of a new video', async () => {
    const { uuid } = await uploadVideo(site, owner, { name: `For ${scheme}` })
    const url = `${site.url}/videos/watch/${uuid}`
    expect(await waitForActivity('Create', received => received.object === url)).toMatchObject({
      actor: `${site.url}/accounts/owner`,
      id: `${url}/activity`,
      scheme,
      document: { object: { type: 'Video', id: url, name: `For ${scheme}` } }
    })
    expect(
      await waitForActivity('Announce', received => received.object === url && received.actor.includes('/video-channels/'))
    ).toMatchObject({
      actor: `${site.url}/video-channels/owner_channel`,
      scheme
    })
    expect(await waitForActivity('Announce', received => received.object === url && received.actor.includes('/accounts/'))).toMatchObject({
      actor: `${site.url}/accounts/peertube`,
      scheme
    })
    await site.call(`PUT /videos/${uuid}`, { token: owner.token, body: { name: 'Renamed' } })
    expect(
      await waitForActivity('Update', received => received.object === url && received.document.object.name === 'Renamed')
    ).toMatchObject({
      actor: `${site.url}/accounts/owner`,
      scheme
    })
  })

  it('sends a comment that appears below the video with its author', async () => {
    const id = await fedify.note(`<p>Hello in ${scheme}</p>`, `${site.url}/videos/watch/${video.uuid}`, `${site.url}/accounts/owner`)
    const comment = await eventually(
      async () => (await site.call(`GET /videos/${video.uuid}/comment-threads`)).json.data.find((received: any) => received.url === id),
      15,
      'the comment'
    )
    expect(comment).toMatchObject({ account: { name: 'alice', host: fedify.host, displayName: 'The alice' } })
    expect(comment.text).toContain(`Hello in ${scheme}`)
    expect(postedSignatures.filter(received => !received.startsWith(scheme))).toEqual([])
  })

  it('embeds an integrity proof and an LD signature that verify', async () => {
    const activity = parseUntrustedJson(Buffer.from(JSON.stringify(await fedify.signed('<p>Hello inside</p>'))))
    expect(await verifyIntegrityProof(activity)).toBe(fedify.actor('alice'))
    expect(await verifyLdSignature(activity)).toBe(fedify.actor('alice'))
    const changed = { ...activity, object: { ...(activity.object as object), content: 'Something else' } }
    expect([await verifyIntegrityProof(changed), await verifyLdSignature(changed)]).toEqual([null, null])
  })

  it('refuses an activity signed with another key', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const actor = `${site.url}/accounts/owner`
    const signer = { actor, keyId: `${actor}#main-key`, privateKey }
    const inbox = `${fedify.url}/inbox`
    const body = JSON.stringify({
      '@context': 'https://www.w3.org/ns/activitystreams',
      id: `${actor}#forged`,
      type: 'Announce',
      actor,
      object: `${site.url}/videos/watch/${video.uuid}`
    })
    const headers = await (scheme === 'cavage'
      ? signCavage({ method: 'POST', url: inbox, digest: sha256Base64(body), signer })
      : signRfc9421({ method: 'POST', url: inbox, body, signer }))
    const { host: _host, ...rest } = headers
    expect((await fetch(inbox, { method: 'POST', body, headers: { ...rest, 'content-type': 'application/activity+json' } })).status).toBe(
      401
    )
    expect(fedify.heard.filter(received => received.id.endsWith('#forged'))).toEqual([])
    expect(fedify.refused.pop()).toMatchObject({ scheme, status: 401 })
  })

  it('refused no signature in the scheme it uses', () => {
    expect(fedify.refused.filter(received => received.scheme === scheme)).toEqual([])
    expect(fedify.heard.length).toBeGreaterThan(5)
    // If Fedify wants RFC 9421, this instance first tried the default scheme once, then remembered.
    if (scheme === 'rfc9421') expect(fedify.refused.filter(received => received.status === 401).length).toBeGreaterThan(0)
    expect(fedify.refused.length).toBeLessThan(fedify.heard.length)
  })
})
