import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { projectFolder } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'

type Recorded = {
  name: string
  path: string
  headers: Record<string, string>
  body: { id: string; type: string; actor: string }
  status: number
}
const { keys, delivered, inbox } = JSON.parse(readFileSync(join(projectFolder, 'server/fediverse/recorded/deliveries.json'), 'utf8')) as {
  keys: Record<string, string>
  delivered: Recorded[]
  inbox: Recorded[]
}

let site: TestInstance
let wire: HostilePeer
beforeAll(async () => {
  wire = await startHostilePeer()
})
afterAll(async () => await wire?.stop())
afterEach(() => {
  vi.useRealTimers()
})

/** An instance that is reached as the recorded receiver was, with its local actors and the senders' keys. */
async function receiver(port: number, paths: string[]): Promise<void> {
  site = await startTestInstance({
    webserver: { port },
    federation: { inbox: { per_host: { max: 100_000 }, views_interval: '100 ms', attempts: 1 } }
  })
  const keyring = scriptedKeyring(paths)
  for (const [url, publicKeyPem] of Object.entries(keys)) keyring.knows({ url, keyId: `${url}#main-key`, publicKeyPem })
  setKeyring(keyring)
}

/** Posts a recorded request as it was, at the time it was sent. */
async function replay({ path, headers, body }: Recorded, later = 0, spoil = (text: string) => text) {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(headers.date!) + 1000 + later })
  return await wire.post(
    site.url + path,
    {},
    { as: null, headers: { ...headers, digest: headers.digest, 'content-length': undefined }, body: spoil(JSON.stringify(body)) }
  )
}

const row = async (id: string) =>
  (
    await runQuery<{ proof: string; type: string; actor: string; outcome: string | null }>(sql`
  SELECT proof, type, actor, CASE WHEN done_at IS NOT NULL THEN outcome END AS outcome FROM incoming WHERE activity_id LIKE ${`${id}%`} OR activity_id LIKE ${`% ${id}`} ORDER BY id DESC LIMIT 1`)
  )[0]

describe('what PeerTube 6.3 delivered', () => {
  beforeAll(async () => await receiver(7790, ['/accounts/peertube', '/accounts/alice', '/video-channels/alice_channel']))
  afterAll(async () => await site?.stop())

  it('is refused when a byte of it is changed, and when it comes two hours late', async () => {
    const [like] = delivered.filter(one => one.body.type === 'Like')
    expect((await replay(like!, 0, text => text.replace('Like', 'Lick'))).status).toBe(401)
    expect((await replay(like!, 2 * 3_600_000)).status).toBe(401)
    expect(await row(like!.body.id)).toBeUndefined()
  })

  it.each(delivered.map(one => [one.name, one] as const))('%s is accepted with its original signature', async (_name, one) => {
    expect(await replay(one)).toMatchObject({ status: 202 })
    expect(await row(one.body.id)).toMatchObject({ proof: 'http', type: one.body.type, actor: one.body.actor })
  })

  it('and the origin law lets every one of them pass', async () => {
    vi.useRealTimers()
    const outcomes = await eventually(
      async () => {
        const rows = await runQuery<{ activity_id: string; outcome: string | null }>(
          sql`SELECT activity_id, CASE WHEN done_at IS NOT NULL THEN outcome END AS outcome FROM incoming`
        )
        return rows.every(one => one.outcome !== null) && rows
      },
      60,
      'the inbox'
    )
    expect(outcomes.length).toBeGreaterThan(80)
    // An owner took somebody's comment off a film: that needs the film here.
    expect(outcomes.filter(one => /^dropped: (?!it was taken back)/.test(one.outcome!))).toEqual([
      {
        activity_id: expect.stringContaining(' http://127.0.0.1:7790/notes/n3/delete'),
        outcome: 'dropped: its object is of another origin'
      }
    ])
  })
})

describe('what was sent to PeerTube 6.3', () => {
  beforeAll(async () => await receiver(9001, ['/accounts/peertube', '/accounts/user1', '/video-channels/second_channel']))
  afterAll(async () => await site?.stop())

  const refused: Record<string, number> = {
    '0092-post-follow-unsigned': 401,
    '0093-post-follow-bad-signature': 401,
    '0095-post-follow-wrong-content-type': 415,
    '0096-post-not-an-activity': 400,
    '0232-post-activity-of-another-actor': 401
  }
  it.each(inbox.map(one => [one.name, one] as const))('%s is answered like there, or more clearly', async (name, one) => {
    const { status } = await replay(one)
    expect(status).toBe(refused[name] ?? 202)
    expect(status < 400).toBe(one.status < 400)
  })
})
