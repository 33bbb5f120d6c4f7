import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'
import { DELIVERY_PRIORITY, enqueueActivity, enqueueForwardedActivities, type OutgoingActivity } from './outbox.ts'
import { recordPeerContact, resyncPeer } from './peers.ts'
import { sweepOutbox } from './sweep-outbox.job.ts'

type ReceivedRequest = {
  status?: number
  path: string
  headers: IncomingHttpHeaders
  activity: { id: string; type: string; signature?: object; content?: string }
}
/** A server that records what is posted to it and answers with `answer`. */
type InboxServer = {
  host: string
  inbox: string
  posts: ReceivedRequest[]
  answer: (post: ReceivedRequest) => { status: number; headers?: Record<string, string> } | 'hang'
  server: Server
}

let site: TestInstance
let followers: string[] = []
const inboxServers: InboxServer[] = []
const actor = () => `${site.url}/accounts/alice`

beforeAll(async () => {
  site = await startTestInstance({
    internals: {
      outbox: {
        retryDelay: 100,
        maxRetryDelay: 300,
        checkInterval: 200,
        timeout: 2500,
        breaker: { failures: 3, window: 600_000, pause: 400, maxPause: 800 },
        maxMistrusts: 5,
        perHost: 2,
        maxHeld: 5
      }
    }
  })
  setKeyring({
    ...scriptedKeyring(['/accounts/peertube', '/accounts/alice', '/video-channels/deleted']),
    inboxesOf: async () => followers,
    // Its key is kept for its Delete.
    isKnown: async one => !one.endsWith('/video-channels/deleted')
  })
})
afterAll(async () => {
  for (const { server } of inboxServers) {
    server.closeAllConnections()
    server.close()
  }
  await site.stop()
})
beforeEach(async () => {
  followers = []
  await runQuery(sql`DELETE FROM deliveries`)
  await runQuery(sql`DELETE FROM peers`)
})

async function startInboxServer(answer: InboxServer['answer'] = () => ({ status: 202 })): Promise<InboxServer> {
  const inboxServer: InboxServer = {
    host: '',
    inbox: '',
    posts: [],
    answer,
    server: createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk as Buffer))
      request.on('end', () => {
        const post = { path: request.url!, headers: request.headers, activity: JSON.parse(Buffer.concat(chunks).toString()) }
        const answer = inboxServer.answer(post)
        if (answer === 'hang') return
        inboxServer.posts.push({ ...post, status: answer.status })
        response.writeHead(answer.status, answer.headers).end()
      })
    })
  }
  await new Promise<void>(resolve => inboxServer.server.listen(0, '127.0.0.1', resolve))
  inboxServer.host = `127.0.0.1:${(inboxServer.server.address() as { port: number }).port}`
  inboxServer.inbox = `http://${inboxServer.host}/inbox`
  inboxServers.push(inboxServer)
  return inboxServer
}

let noteCount = 0
function noteActivity(overrides: Partial<OutgoingActivity> & { content?: string } = {}): OutgoingActivity {
  const { content, ...rest } = overrides
  const id = `${site.url}/notes/${++noteCount}`
  return {
    activity: { type: 'Create', id: `${id}/activity`, actor: actor(), object: { type: 'Note', id, ...(content ? { content } : {}) } },
    kind: 'base',
    audience: { followersOf: [actor()] },
    lane: DELIVERY_PRIORITY.PUBLISH,
    subject: id,
    ...rest
  }
}

const countWaiting = async () =>
  (
    await runQuery<{ count: number }>(
      sql`SELECT (SELECT count(*)::int FROM deliveries) + (SELECT count(*)::int FROM outgoing WHERE fanned_out_at IS NULL) AS count`
    )
  )[0]!.count
const waitUntilEmpty = async () => await eventually(async () => (await countWaiting()) === 0, 15, 'the outbox to be empty')
const findPeer = async (host: string) =>
  (
    await runQuery<{
      failures: number
      open_until: Date | null
      suspended_at: Date | null
      missed_since: Date | null
      signature: string | null
    }>(sql`SELECT * FROM peers WHERE host = ${host}`)
  )[0]

test('an activity enqueued in a transaction is sent after commit, once to each inbox, with LD and HTTP signatures', async () => {
  const [server, otherServer] = [await startInboxServer(), await startInboxServer()]
  followers = [server.inbox, otherServer.inbox, server.inbox, `${site.url}/inbox`]
  await transaction(async tx => {
    await enqueueActivity(noteActivity(), tx)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(server.posts).toEqual([])
  })
  await waitUntilEmpty()
  for (const { posts, host } of [server, otherServer]) {
    expect(posts).toHaveLength(1)
    expect(posts[0]!.headers).toMatchObject({
      host,
      'content-type': 'application/activity+json',
      digest: expect.stringMatching(/^SHA-256=/),
      signature: expect.stringContaining('headers="(request-target) host date digest"')
    })
    expect(posts[0]!.activity).toMatchObject({ type: 'Create', signature: { type: 'RsaSignature2017', creator: actor() } })
  }
})

test('an activity of a rolled back transaction is never sent', async () => {
  const server = await startInboxServer()
  followers = [server.inbox]
  await transaction(async tx => {
    await enqueueActivity(noteActivity(), tx)
    throw new Error('no')
  }).catch(() => undefined)
  await enqueueActivity(noteActivity({ content: 'after' }))
  await waitUntilEmpty()
  expect(server.posts.map(({ activity }) => (activity as never as { object: { content?: string } }).object.content)).toEqual(['after'])
})

test('a server that answers 500 gets activities later, in order for each subject, without delaying others', async () => {
  let broken = true
  const [bad, good] = [await startInboxServer(() => ({ status: broken ? 500 : 202 })), await startInboxServer()]
  followers = [bad.inbox, good.inbox]
  const subject = `${site.url}/things/1`
  for (let index = 0; index < 3; index++)
    await enqueueActivity({
      ...noteActivity({ subject }),
      activity: { type: 'Update', id: `${subject}/updates/${index}`, actor: actor(), object: subject }
    })
  await eventually(async () => good.posts.length === 3, 10, 'the good one')
  expect(bad.posts.length).toBeGreaterThan(0)
  expect((await findPeer(bad.host))!.failures).toBeGreaterThan(0)
  broken = false
  await waitUntilEmpty()
  const last = bad.posts.slice(-3).map(({ activity }) => activity.id)
  expect(last).toEqual([0, 1, 2].map(index => `${subject}/updates/${index}`))
  expect(good.posts.map(({ activity }) => activity.id)).toEqual(last)
  expect(await findPeer(bad.host)).toMatchObject({ failures: 0, open_until: null })
})

test('a server that hangs does not delay others; its circuit breaker opens and allows one probe at a time', async () => {
  let requestCount = 0
  const [dead, good] = [
    await startInboxServer(() => {
      requestCount++
      return 'hang'
    }),
    await startInboxServer()
  ]
  followers = [dead.inbox, good.inbox]
  for (let index = 0; index < 20; index++) await enqueueActivity(noteActivity())
  await eventually(async () => good.posts.length === 20, 10, 'the good one')
  await eventually(async () => ((await findPeer(dead.host))?.open_until?.getTime() ?? 0) > Date.now(), 15, 'the breaker')
  // Deliveries in progress end first.
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM deliveries WHERE leased_until > now()`)).length <= 1, 15, 'those in hand')
  const before = requestCount
  const maxLeased = await new Promise<number>(resolve => {
    let maxLeased = 0
    const poll = setInterval(
      () =>
        void runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM deliveries WHERE leased_until > now()`).then(([row]) => {
          maxLeased = Math.max(maxLeased, row!.count)
        }),
      50
    )
    setTimeout(() => {
      clearInterval(poll)
      resolve(maxLeased)
    }, 4000)
  })
  // At least twelve wait; without a circuit breaker two would be tried all the time.
  expect(maxLeased).toBeLessThanOrEqual(1)
  expect(requestCount - before).toBeLessThanOrEqual(2)
  dead.answer = () => ({ status: 202 })
  await waitUntilEmpty()
  expect(new Set(dead.posts.map(({ activity }) => activity.id)).size).toBe(20)
})

test('waiting and delayed activities with one `supersedes` key are merged into the last one', async () => {
  let closed = true
  const server = await startInboxServer(() => ({ status: closed ? 503 : 202 }))
  followers = [server.inbox]
  const update = (index: number, delay = 0): OutgoingActivity => ({
    ...noteActivity({ subject: `${site.url}/videos/1`, supersedes: `counters ${site.url}/videos/1`, delay }),
    activity: {
      type: 'Update',
      id: `${site.url}/videos/1/updates/${index}`,
      actor: actor(),
      object: { type: 'Video', id: `${site.url}/videos/1`, content: String(index) }
    }
  })
  await enqueueActivity(update(1))
  await eventually(async () => (await findPeer(server.host))?.failures, 5, 'the first try')
  await enqueueActivity(update(2))
  await enqueueActivity(update(3))
  await eventually(async () => (await runQuery(sql`SELECT id FROM outgoing WHERE fanned_out_at IS NULL`)).length === 0, 5, 'the spreading')
  closed = false
  await waitUntilEmpty()
  expect(server.posts.filter(({ status }) => status === 202).map(({ activity }) => activity.id)).toEqual([`${site.url}/videos/1/updates/3`])
  const before = server.posts.length
  for (let index = 10; index < 60; index++) await enqueueActivity(update(index, 3000))
  await waitUntilEmpty()
  expect(server.posts.slice(before).map(({ activity }) => activity.id)).toEqual([`${site.url}/videos/1/updates/59`])
})

test('an Update that fails while a newer one waits is not retried', async () => {
  let requestCount = 0
  const server = await startInboxServer(() => {
    requestCount++
    return 'hang'
  })
  followers = [server.inbox]
  const update = (index: number): OutgoingActivity => ({
    ...noteActivity({ subject: `${site.url}/videos/2`, supersedes: `update ${site.url}/videos/2` }),
    activity: {
      type: 'Update',
      id: `${site.url}/videos/2/updates/${index}`,
      actor: actor(),
      object: { type: 'Video', id: `${site.url}/videos/2` }
    }
  })
  await enqueueActivity(update(1))
  await eventually(async () => requestCount > 0, 5, 'the first')
  await enqueueActivity(update(2))
  server.answer = () => ({ status: 202 })
  await waitUntilEmpty()
  expect(server.posts.map(({ activity }) => activity.id)).toEqual([`${site.url}/videos/2/updates/2`])
})

test('429 with Retry-After is respected and no failure; 410 ends a delivery; other refusals end it after some attempts', async () => {
  let first = 0
  const busy = await startInboxServer(() =>
    first === 0 ? ((first = Date.now()), { status: 429, headers: { 'retry-after': '1' } }) : { status: 202 }
  )
  const [gone, closed, wary] = [
    await startInboxServer(() => ({ status: 410 })),
    await startInboxServer(() => ({ status: 404 })),
    await startInboxServer(() => ({ status: 401 }))
  ]
  followers = [busy.inbox, gone.inbox, closed.inbox, wary.inbox]
  await enqueueActivity(noteActivity())
  await waitUntilEmpty()
  expect(busy.posts).toHaveLength(2)
  expect(Date.now() - first).toBeGreaterThanOrEqual(300)
  expect((await findPeer(busy.host))!.failures).toBe(0)
  expect(gone.posts).toHaveLength(1)
  expect(closed.posts).toHaveLength(3)
  // It may have failed to fetch our key; each attempt uses both signature schemes.
  expect(wary.posts).toHaveLength(2 * 5)
})

test('the other signature scheme is tried after a refusal, and remembered', async () => {
  const modern = await startInboxServer(({ headers }) => ({ status: headers['signature-input'] ? 202 : 401 }))
  followers = [modern.inbox]
  await enqueueActivity(noteActivity())
  await waitUntilEmpty()
  await enqueueActivity(noteActivity())
  await waitUntilEmpty()
  expect(modern.posts.map(({ headers }) => headers['signature-input'] !== undefined)).toEqual([false, true, true])
  expect(await findPeer(modern.host)).toMatchObject({ failures: 0, signature: 'rfc9421' })
})

test('a Follow does not wait behind many activities of low priority', async () => {
  const slow = await startInboxServer()
  for (let index = 0; index < 300; index++)
    await enqueueActivity({ ...noteActivity({ lane: DELIVERY_PRIORITY.BULK, audience: { inboxes: [slow.inbox] } }) })
  await enqueueActivity({
    activity: { type: 'Follow', id: `${site.url}/follows/1`, actor: actor(), object: 'https://elsewhere.example/a' },
    kind: 'base',
    audience: { inboxes: [slow.inbox] },
    lane: DELIVERY_PRIORITY.NOW,
    subject: `${site.url}/follows/1`
  })
  await waitUntilEmpty()
  expect(new Set(slow.posts.map(({ activity }) => activity.id)).size).toBe(301)
  const followIndex = slow.posts.findIndex(({ activity }) => activity.type === 'Follow')
  expect(followIndex).toBeLessThan(280)
  expect(slow.posts[followIndex]!.activity.signature).toBeUndefined()
})

test('expired deliveries are deleted, and resent when the host makes contact again', async () => {
  const away = await startInboxServer(() => ({ status: 500 }))
  followers = [away.inbox]
  await enqueueActivity(noteActivity({ content: 'old' }))
  await eventually(async () => (await findPeer(away.host))?.failures, 5, 'a failure')
  await runQuery(sql`UPDATE deliveries SET created_at = now() - interval '8 days', not_before = now() + interval '1 day'`)
  await sweepOutbox.run({}, { progress: () => undefined, signal: new AbortController().signal })
  expect(await countWaiting()).toBe(0)
  expect(await findPeer(away.host)).toMatchObject({ suspended_at: expect.any(Date), missed_since: expect.any(Date) })
  await enqueueActivity(noteActivity({ content: 'while away' }))
  await waitUntilEmpty()
  const postCount = away.posts.length
  away.answer = () => ({ status: 202 })
  await recordPeerContact(away.host)
  await waitUntilEmpty()
  const contents = away.posts.slice(postCount).map(({ activity }) => (activity as never as { object: { content: string } }).object.content)
  expect(contents).toEqual(expect.arrayContaining(['old', 'while away']))
  expect(await findPeer(away.host)).toMatchObject({ suspended_at: null, missed_since: null, failures: 0 })
})

test('activities that cannot be signed are set aside, and nobody waits behind them', async () => {
  const receiver = await startInboxServer(() => ({ status: 202 }))
  followers = [receiver.inbox]
  const keyless = `${site.url}/accounts/keyless`
  const enqueue = async (type: string, by: string, name: string) =>
    await enqueueActivity({
      ...noteActivity(),
      activity: { type, id: `${site.url}/activities/${name}`, actor: by, object: `${site.url}/${name}` }
    })
  // One that is signed in its document, one only in its request, and then those of others.
  for (let number = 0; number < 25; number++) await enqueue('Create', keyless, `unsignable-${number}`)
  await enqueue('Follow', keyless, 'unsignable-follow')
  for (let number = 0; number < 5; number++) await enqueue('Create', actor(), `fine-${number}`)
  await eventually(async () => receiver.posts.filter(({ activity }) => activity.id.includes('fine-')).length === 5, 10, 'those of others')
  const setAside = async () => await runQuery<{ sign_error: string }>(sql`SELECT sign_error FROM outgoing WHERE set_aside_at IS NOT NULL`)
  await eventually(async () => (await setAside()).length === 26, 20, 'what is set aside')
  expect((await setAside())[0]!.sign_error).toContain('keyless')
  expect(await findPeer(receiver.host)).toMatchObject({ failures: 0 })
  const health = (await site.call('GET /server/health', { token: await site.login() })).json
  expect(health.faults).toContainEqual({ code: 'activities_unsendable', bad: false, count: 26 })
  await runQuery(sql`DELETE FROM outgoing WHERE set_aside_at IS NOT NULL`)
})

test('an inbox URL with an SQL injection is only text', async () => {
  const server = await startInboxServer(() => ({ status: 500 }))
  followers = [`${server.inbox}/x');DROP TABLE peers;--`]
  await enqueueActivity(noteActivity())
  await eventually(async () => server.posts.length > 0, 5, 'the post')
  expect(server.posts[0]!.path).toContain("x');DROP")
  await eventually(async () => await findPeer(server.host), 5, 'what became of it')
})

test('a resync sends a host nothing of its own, nothing that is not for it, and of a deleted actor only its Delete', async () => {
  const receiver = await startInboxServer(() => ({ status: 202 }))
  followers = [receiver.inbox]
  const enqueue = async (activity: Record<string, unknown>, audience = { followersOf: [actor()] } as OutgoingActivity['audience']) =>
    await enqueueActivity({ ...noteActivity(), activity: activity as never, audience })
  const deletedActor = `${site.url}/video-channels/deleted`
  const id = (name: string) => `${site.url}/activities/${name}`
  await enqueue({ type: 'Create', id: id('ours'), actor: actor(), object: id('note') })
  await enqueue(
    { type: 'Create', id: id('except'), actor: actor(), object: id('note') },
    { followersOf: [actor()], except: [receiver.host] }
  )
  const forwarded = (host: string) => ({ type: 'Create', id: `http://${host}/activities/forwarded`, actor: `http://${host}/accounts/bob` })
  await transaction(
    async tx =>
      await enqueueForwardedActivities(
        actor(),
        [receiver.host, 'other.example'].map(host => ({
          body: JSON.stringify(forwarded(host)),
          type: 'Create',
          audience: { followersOf: [actor()], except: [host] },
          subject: id('note')
        })),
        tx
      )
  )
  await waitUntilEmpty()
  // As they are in the outbox after the channel was deleted.
  for (const type of ['Announce', 'Delete'])
    await runQuery(sql`
      INSERT INTO outgoing (actor, type, activity, body, digest, audience, lane, subject, fanned_out_at)
      SELECT ${deletedActor}, ${type}, activity, body, digest, audience, lane, ${`${type} of a deleted channel`}, now() FROM outgoing
      WHERE body LIKE ${`%${id('ours')}%`} LIMIT 1`)
  const sentBefore = receiver.posts.map(({ activity }) => activity.id)
  expect(sentBefore.sort()).toEqual([forwarded('other.example').id, id('ours')].sort())
  expect(await resyncPeer(receiver.host, new Date(Date.now() - 60_000))).toBe(true)
  await waitUntilEmpty()
  const sentAgain = receiver.posts.slice(sentBefore.length).map(({ activity }) => activity.id)
  // That of `alice`, and the Delete of the channel.
  expect(sentAgain.filter(one => one === id('ours'))).toHaveLength(2)
  expect(sentAgain).toContain(forwarded('other.example').id)
  expect(sentAgain).not.toContain(id('except'))
  expect(sentAgain).not.toContain(forwarded(receiver.host).id)
})

test('administrators can list, retry and resync servers; others cannot', async () => {
  const away = await startInboxServer(() => ({ status: 500 }))
  followers = [away.inbox]
  await enqueueActivity(noteActivity())
  const token = await site.login()
  expect((await site.call('GET /server/peers')).status).toBe(401)
  // Meanwhile a probe may be running.
  await expect
    .poll(async () =>
      (await site.call('GET /server/peers', { token })).json.data.find((server: { host: string }) => server.host === away.host)
    )
    .toMatchObject({ host: away.host, state: 'open', waiting: 1, lastError: 'It answers 500', lastSuccessAt: null })
  const { json: debug } = await site.call('GET /server/debug', { token })
  expect(debug).toMatchObject({ incoming: { waiting: 0 }, outgoing: { waiting: 1 } })
  away.answer = () => ({ status: 202 })
  expect((await site.call(`POST /server/peers/${encodeURIComponent(away.host)}/retry`, { token })).status).toBe(204)
  await waitUntilEmpty()
  expect(
    (await site.call('GET /server/peers', { token })).json.data.find((server: { host: string }) => server.host === away.host)
  ).toMatchObject({ host: away.host, state: 'ok', waiting: 0 })
  const before = away.posts.length
  expect(
    (await site.call(`POST /server/peers/${encodeURIComponent(away.host)}/resync`, { token, body: { since: new Date(0).toISOString() } }))
      .status
  ).toBe(204)
  await eventually(async () => away.posts.length > before, 5, 'the resync')
  expect((await site.call('POST /server/peers/unknown.example/retry', { token })).status).toBe(404)
})
