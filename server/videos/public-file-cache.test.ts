import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { runAsRequest } from '../core/request-context.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, withTestDatabase, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { findCachedVideoAccessInfo } from './public-file-cache.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({ checkPublishedMedia: false, database: { statement_timeout: { requests: '1500 milliseconds' } } }, [
    'web'
  ])
})
afterAll(async () => await site?.stop())

const find = async (uuid: string) => await runAsRequest(async () => await findCachedVideoAccessInfo(uuid))

/** Runs `act` while the database answers everything but what concerns videos. */
async function whileVideosAreLocked(act: () => Promise<void>): Promise<void> {
  await withTestDatabase(async client => {
    await client.query('BEGIN')
    await client.query('LOCK TABLE videos IN ACCESS EXCLUSIVE MODE')
    await act()
    await client.query('ROLLBACK')
  }, config.database.name)
}

it('what another process has hidden, or removed, is not served from memory when the database does not answer', async () => {
  const user = await site.user('ada')
  const [open, hidden, removed] = await Promise.all([0, 1, 2].map(async () => (await seedVideo({ channelId: user.channelId })).uuid))
  for (const uuid of [open, hidden, removed]) await find(uuid!)
  await runQuery(sql`UPDATE videos SET privacy = 3 WHERE uuid = ${hidden}`)
  await runQuery(sql`DELETE FROM videos WHERE uuid = ${removed}`)
  await sleep(3000)
  await whileVideosAreLocked(async () => {
    expect((await find(open!)).uuid).toBe(open)
    await expect(find(hidden!)).rejects.toThrow()
    await expect(find(removed!)).rejects.toThrow()
  })
})
