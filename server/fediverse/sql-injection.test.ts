import { afterAll, beforeAll, expect, it } from 'vitest'
import { instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startHostilePeer, type HostilePeer } from '../test/hostile-peer.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { scriptedKeyring } from '../test/scripted-keyring.ts'
import { setKeyring } from './keyring.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from './outbox.ts'

const SQL_INJECTION = `'); DROP TABLE deliveries; DROP TABLE peers; DROP TABLE incoming; --`
let site: TestInstance
let peer: HostilePeer
beforeAll(async () => {
  site = await startTestInstance({
    internals: { inbox: { checkInterval: 100 }, outbox: { retryDelay: 20, checkInterval: 100 } }
  })
  peer = await startHostilePeer()
})
afterAll(async () => await Promise.all([site?.stop(), peer?.stop()]))

const tableNames = async () =>
  (await runQuery<{ name: string }>(sql`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`)).map(row => row.name)

it('an inbox URL that contains SQL is only text, although every delivery to it fails', async () => {
  setKeyring(scriptedKeyring())
  const before = await tableNames()
  const inboxes = [`${peer.url}/${SQL_INJECTION}`, `${peer.url}/x?y=${SQL_INJECTION}`, `${peer.url}/inbox#${SQL_INJECTION}`]
  for (const inbox of inboxes) peer.answer(new URL(inbox).pathname + new URL(inbox).search, 500)
  const subject = `${instanceOrigin()}/videos/watch/1`
  await enqueueActivity({
    activity: { type: 'Update', id: `${subject}/${SQL_INJECTION}`, actor: `${instanceOrigin()}/accounts/alice`, object: subject },
    kind: 'base',
    audience: { inboxes },
    lane: DELIVERY_PRIORITY.NOW,
    subject
  })
  await eventually(async () => peer.received.length >= 6, 15, 'tries and tries again')
  for (const { path } of peer.received)
    expect(
      inboxes.map(inbox => new URL(inbox)).some(({ pathname, search }) => pathname + search === path),
      path
    ).toBe(true)
  expect(await tableNames()).toEqual(before)
  const [peerRow] = await runQuery<{ failures: number }>(sql`SELECT failures FROM peers WHERE host = ${peer.host}`)
  expect(peerRow!.failures).toBeGreaterThan(0)
})

it('received activities that contain SQL are only text', async () => {
  const keyring = scriptedKeyring()
  setKeyring(keyring)
  const before = await tableNames()
  const actor = await peer.actor('bobby')
  const injectingActor = { ...actor, url: `${peer.url}/${SQL_INJECTION}`, keyId: `${peer.url}/key%27` }
  keyring.knows(actor, { ...injectingActor, url: new URL(injectingActor.url).href })
  const activities = [
    { id: `${peer.url}/1${SQL_INJECTION}`, type: 'Like', actor: actor.url, object: `${peer.url}/${SQL_INJECTION}` },
    { id: `${peer.url}/2`, type: 'Delete', actor: actor.url, object: `${peer.url}/${SQL_INJECTION}` },
    {
      id: `${peer.url}/3`,
      type: 'Undo',
      actor: actor.url,
      object: { type: 'Like', id: `${peer.url}/${SQL_INJECTION}`, actor: actor.url, object: SQL_INJECTION }
    },
    {
      id: `${peer.url}/4`,
      type: 'Create',
      actor: actor.url,
      object: { type: SQL_INJECTION, id: `${peer.url}/${SQL_INJECTION}`, attributedTo: actor.url, replyApproval: SQL_INJECTION }
    }
  ]
  for (const activity of activities) expect((await peer.post(`${site.url}/inbox`, activity)).status).toBe(202)
  expect((await peer.post(`${site.url}/inbox`, { ...activities[0]!, actor: injectingActor.url }, { as: injectingActor })).status).toBe(202)
  expect((await peer.post(`${site.url}/inbox`, { ...activities[0]!, type: SQL_INJECTION }, { as: actor })).status).toBe(400)
  await eventually(async () => (await runQuery(sql`SELECT id FROM incoming WHERE done_at IS NULL`)).length === 0)
  expect(await runQuery(sql`SELECT id FROM incoming`)).toHaveLength(5)
  expect(await tableNames()).toEqual(before)
})
