import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'
import { DELIVERY_PRIORITY, enqueueActivity, type OutgoingActivity } from './outbox.ts'
import { recordPeerContact, sweepOutbox } from './peers.ts'

type Post = {
  status?: number
  path: string
  headers: IncomingHttpHeaders
  activity: { id: string; type: string; signature?: object; content?: string }
}
/** A server that takes what is posted, answering as it is told. */
type Sink = {
  host: string
  inbox: string
  posts: Post[]
  answer: (post: Post) => { status: number; headers?: Record<string, string> } | 'hang'
  server: Server
}

let site: TestInstance
let followers: string[] = []
const sinks: Sink[] = []
const actor = () => `${site.url}/accounts/alice`

beforeAll(async () => {
  site = await startTestInstance({
    federation: {
      outbox: {
        retry_delay: 100,
        max_retry_delay: 300,
        check_interval: 200,
        timeout: 2500,
        breaker: { failures: 3, window: '10 minutes', pause: 400, max_pause: 800 },
        max_mistrusts: 5,
        per_host: 2,
        max_held: 5
      }
    }
  })
  setKeyring({ ...scriptedKeyring(), inboxesOf: async () => followers })
})
afterAll(async () => {
  for (const { server } of sinks) {
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

async function sink(answer: Sink['answer'] = () => ({ status: 202 })): Promise<Sink> {
  const made: Sink = {
    host: '',
    inbox: '',
    posts: [],
    answer,
    server: createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', piece => pieces.push(piece as Buffer))
      request.on('end', () => {
        const post = { path: request.url!, headers: request.headers, activity: JSON.parse(Buffer.concat(pieces).toString()) }
        const said = made.answer(post)
        if (said === 'hang') return
        made.posts.push({ ...post, status: said.status })
        response.writeHead(said.status, said.headers).end()
      })
    })
  }
  await new Promise<void>(resolve => made.server.listen(0, '127.0.0.1', resolve))
  made.host = `127.0.0.1:${(made.server.address() as { port: number }).port}`
  made.inbox = `http://${made.host}/inbox`
  sinks.push(made)
  return made
}

let count = 0
function note(more: Partial<OutgoingActivity> & { content?: string } = {}): OutgoingActivity {
  const { content, ...rest } = more
  const id = `${site.url}/notes/${++count}`
  return {
    activity: { type: 'Create', id: `${id}/activity`, actor: actor(), object: { type: 'Note', id, ...(content ? { content } : {}) } },
    kind: 'base',
    audience: { followersOf: [actor()] },
    lane: DELIVERY_PRIORITY.PUBLISH,
    subject: id,
    ...rest
  }
}

const waiting = async () =>
  (
    await runQuery<{ count: number }>(
      sql`SELECT (SELECT count(*)::int FROM deliveries) + (SELECT count(*)::int FROM outgoing WHERE fanned_out_at IS NULL) AS count`
    )
  )[0]!.count
const quiet = async () => await eventually(async () => (await waiting()) === 0, 15, 'the outbox to be empty')
const peer = async (host: string) =>
  (
    await runQuery<{
      failures: number
      open_until: Date | null
      suspended_at: Date | null
      missed_since: Date | null
      signature: string | null
    }>(sql`SELECT * FROM peers WHERE host = ${host}`)
  )[0]

test('what is sent in a transaction leaves after its commit, once to each inbox, signed inside and outside', async () => {
  const [one, two] = [await sink(), await sink()]
  followers = [one.inbox, two.inbox, one.inbox, `${site.url}/inbox`]
  await transaction(async inside => {
    await enqueueActivity(note(), inside)
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(one.posts).toEqual([])
  })
  await quiet()
  for (const { posts, host } of [one, two]) {
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

test('what is rolled back never leaves', async () => {
  const one = await sink()
  followers = [one.inbox]
  await transaction(async inside => {
    await enqueueActivity(note(), inside)
    throw new Error('no')
  }).catch(() => undefined)
  await enqueueActivity(note({ content: 'after' }))
  await quiet()
  expect(one.posts.map(({ activity }) => (activity as never as { object: { content?: string } }).object.content)).toEqual(['after'])
})

test('a server that answers 500 gets it later, in the order of each subject, and the others are not kept waiting', async () => {
  let broken = true
  const [bad, good] = [await sink(() => ({ status: broken ? 500 : 202 })), await sink()]
  followers = [bad.inbox, good.inbox]
  const subject = `${site.url}/things/1`
  for (let index = 0; index < 3; index++)
    await enqueueActivity({
      ...note({ subject }),
      activity: { type: 'Update', id: `${subject}/updates/${index}`, actor: actor(), object: subject }
    })
  await eventually(async () => good.posts.length === 3, 10, 'the good one')
  expect(bad.posts.length).toBeGreaterThan(0)
  expect((await peer(bad.host))!.failures).toBeGreaterThan(0)
  broken = false
  await quiet()
  const last = bad.posts.slice(-3).map(({ activity }) => activity.id)
  expect(last).toEqual([0, 1, 2].map(index => `${subject}/updates/${index}`))
  expect(good.posts.map(({ activity }) => activity.id)).toEqual(last)
  expect(await peer(bad.host)).toMatchObject({ failures: 0, open_until: null })
})

test('a server that hangs does not keep the others from anything, and is left alone after some failures, with one probe at a time', async () => {
  let asked = 0
  const [dead, good] = [
    await sink(() => {
      asked++
      return 'hang'
    }),
    await sink()
  ]
  followers = [dead.inbox, good.inbox]
  for (let index = 0; index < 20; index++) await enqueueActivity(note())
  await eventually(async () => good.posts.length === 20, 10, 'the good one')
  await eventually(async () => ((await peer(dead.host))?.open_until?.getTime() ?? 0) > Date.now(), 15, 'the breaker')
  // What was in hand comes back first.
  await eventually(async () => (await runQuery(sql`SELECT 1 FROM deliveries WHERE leased_until > now()`)).length <= 1, 15, 'those in hand')
  const before = asked
  const most = await new Promise<number>(resolve => {
    let most = 0
    const looking = setInterval(
      () =>
        void runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM deliveries WHERE leased_until > now()`).then(([row]) => {
          most = Math.max(most, row!.count)
        }),
      50
    )
    setTimeout(() => {
      clearInterval(looking)
      resolve(most)
    }, 4000)
  })
  // Twelve and more wait; without a breaker two would be tried all the time.
  expect(most).toBeLessThanOrEqual(1)
  expect(asked - before).toBeLessThanOrEqual(2)
  dead.answer = () => ({ status: 202 })
  await quiet()
  expect(new Set(dead.posts.map(({ activity }) => activity.id)).size).toBe(20)
})

test('Updates of one thing that wait become the last one; those held back become one', async () => {
  let closed = true
  const one = await sink(() => ({ status: closed ? 503 : 202 }))
  followers = [one.inbox]
  const update = (index: number, delay = 0): OutgoingActivity => ({
    ...note({ subject: `${site.url}/videos/1`, supersedes: `counters ${site.url}/videos/1`, delay }),
    activity: {
      type: 'Update',
      id: `${site.url}/videos/1/updates/${index}`,
      actor: actor(),
      object: { type: 'Video', id: `${site.url}/videos/1`, content: String(index) }
    }
  })
  await enqueueActivity(update(1))
  await eventually(async () => (await peer(one.host))?.failures, 5, 'the first try')
  await enqueueActivity(update(2))
  await enqueueActivity(update(3))
  await eventually(async () => (await runQuery(sql`SELECT id FROM outgoing WHERE fanned_out_at IS NULL`)).length === 0, 5, 'the spreading')
  closed = false
  await quiet()
  expect(one.posts.filter(({ status }) => status === 202).map(({ activity }) => activity.id)).toEqual([`${site.url}/videos/1/updates/3`])
  const before = one.posts.length
  for (let index = 10; index < 60; index++) await enqueueActivity(update(index, 3000))
  await quiet()
  expect(one.posts.slice(before).map(({ activity }) => activity.id)).toEqual([`${site.url}/videos/1/updates/59`])
})

test('an Update that fails while a newer one waits is not tried again', async () => {
  let asked = 0
  const one = await sink(() => {
    asked++
    return 'hang'
  })
  followers = [one.inbox]
  const update = (index: number): OutgoingActivity => ({
    ...note({ subject: `${site.url}/videos/2`, supersedes: `update ${site.url}/videos/2` }),
    activity: {
      type: 'Update',
      id: `${site.url}/videos/2/updates/${index}`,
      actor: actor(),
      object: { type: 'Video', id: `${site.url}/videos/2` }
    }
  })
  await enqueueActivity(update(1))
  await eventually(async () => asked > 0, 5, 'the first')
  await enqueueActivity(update(2))
  one.answer = () => ({ status: 202 })
  await quiet()
  expect(one.posts.map(({ activity }) => activity.id)).toEqual([`${site.url}/videos/2/updates/2`])
})

test('429 and Retry-After are heeded and are no failure; 410 ends it; other refusals end it after some tries', async () => {
  let first = 0
  const busy = await sink(() => (first === 0 ? ((first = Date.now()), { status: 429, headers: { 'retry-after': '1' } }) : { status: 202 }))
  const [gone, closed, wary] = [
    await sink(() => ({ status: 410 })),
    await sink(() => ({ status: 404 })),
    await sink(() => ({ status: 401 }))
  ]
  followers = [busy.inbox, gone.inbox, closed.inbox, wary.inbox]
  await enqueueActivity(note())
  await quiet()
  expect(busy.posts).toHaveLength(2)
  expect(Date.now() - first).toBeGreaterThanOrEqual(300)
  expect((await peer(busy.host))!.failures).toBe(0)
  expect(gone.posts).toHaveLength(1)
  expect(closed.posts).toHaveLength(3)
  // It may not have been able to ask for our key; each time with both kinds of signatures.
  expect(wary.posts).toHaveLength(2 * 5)
})

test('the other kind of signature is tried where one is refused, and remembered', async () => {
  const modern = await sink(({ headers }) => ({ status: headers['signature-input'] ? 202 : 401 }))
  followers = [modern.inbox]
  await enqueueActivity(note())
  await quiet()
  await enqueueActivity(note())
  await quiet()
  expect(modern.posts.map(({ headers }) => headers['signature-input'] !== undefined)).toEqual([false, true, true])
  expect(await peer(modern.host)).toMatchObject({ failures: 0, signature: 'rfc9421' })
})

test('a Follow does not wait behind a flood of views', async () => {
  const slow = await sink()
  for (let index = 0; index < 300; index++)
    await enqueueActivity({ ...note({ lane: DELIVERY_PRIORITY.BULK, audience: { inboxes: [slow.inbox] } }) })
  await enqueueActivity({
    activity: { type: 'Follow', id: `${site.url}/follows/1`, actor: actor(), object: 'https://elsewhere.example/a' },
    kind: 'base',
    audience: { inboxes: [slow.inbox] },
    lane: DELIVERY_PRIORITY.NOW,
    subject: `${site.url}/follows/1`
  })
  await quiet()
  expect(new Set(slow.posts.map(({ activity }) => activity.id)).size).toBe(301)
  const place = slow.posts.findIndex(({ activity }) => activity.type === 'Follow')
  expect(place).toBeLessThan(280)
  expect(slow.posts[place]!.activity.signature).toBeUndefined()
})

test('what is too old is given up and told when the server speaks again', async () => {
  const away = await sink(() => ({ status: 500 }))
  followers = [away.inbox]
  await enqueueActivity(note({ content: 'old' }))
  await eventually(async () => (await peer(away.host))?.failures, 5, 'a failure')
  await runQuery(sql`UPDATE deliveries SET created_at = now() - interval '8 days', not_before = now() + interval '1 day'`)
  await sweepOutbox.run({}, { progress: () => undefined, signal: new AbortController().signal })
  expect(await waiting()).toBe(0)
  expect(await peer(away.host)).toMatchObject({ suspended_at: expect.any(Date), missed_since: expect.any(Date) })
  await enqueueActivity(note({ content: 'while away' }))
  await quiet()
  const heard = away.posts.length
  away.answer = () => ({ status: 202 })
  await recordPeerContact(away.host)
  await quiet()
  const told = away.posts.slice(heard).map(({ activity }) => (activity as never as { object: { content: string } }).object.content)
  expect(told).toEqual(expect.arrayContaining(['old', 'while away']))
  expect(await peer(away.host)).toMatchObject({ suspended_at: null, missed_since: null, failures: 0 })
})

test('an inbox that is an injection is only text', async () => {
  const one = await sink(() => ({ status: 500 }))
  followers = [`${one.inbox}/x');DROP TABLE peers;--`]
  await enqueueActivity(note())
  await eventually(async () => one.posts.length > 0, 5, 'the post')
  expect(one.posts[0]!.path).toContain("x');DROP")
  await eventually(async () => await peer(one.host), 5, 'what became of it')
})

test('the administrator sees the servers and can try again; nobody else can', async () => {
  const away = await sink(() => ({ status: 500 }))
  followers = [away.inbox]
  await enqueueActivity(note())
  const token = await site.login()
  expect((await site.call('GET /server/peers')).status).toBe(401)
  // In between it is asked again.
  await expect
    .poll(async () => (await site.call('GET /server/peers', { token })).json.data.find((one: { host: string }) => one.host === away.host))
    .toMatchObject({ host: away.host, state: 'open', waiting: 1, lastError: 'It answers 500', lastSuccessAt: null })
  const { json: debug } = await site.call('GET /server/debug', { token })
  expect(debug).toMatchObject({ incoming: { waiting: 0 }, outgoing: { waiting: 1 } })
  away.answer = () => ({ status: 202 })
  expect((await site.call(`POST /server/peers/${encodeURIComponent(away.host)}/retry`, { token })).status).toBe(204)
  await quiet()
  expect((await site.call('GET /server/peers', { token })).json.data.find((one: { host: string }) => one.host === away.host)).toMatchObject(
    { host: away.host, state: 'ok', waiting: 0 }
  )
  const before = away.posts.length
  expect(
    (await site.call(`POST /server/peers/${encodeURIComponent(away.host)}/resync`, { token, body: { since: new Date(0).toISOString() } }))
      .status
  ).toBe(204)
  await eventually(async () => away.posts.length > before, 5, 'the resync')
  expect((await site.call('POST /server/peers/unknown.example/retry', { token })).status).toBe(404)
})
