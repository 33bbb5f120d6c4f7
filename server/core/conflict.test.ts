import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, startTestInstance, withTestDatabase, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { config } from './config.ts'
import { isConflict } from './conflict.ts'
import { runQuery, sql } from './sql.ts'
import { transaction } from './transaction.ts'

let site: TestInstance
let ada: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  ada = await site.user('ada')
})
afterAll(async () => await site?.stop())

/** Calls the API while another transaction has done `statement` and not committed; commits once the call waits for it. */
async function callDuring(statement: string, key: string, body: object) {
  return await withTestDatabase(async other => {
    await other.query('BEGIN')
    await other.query(statement)
    const call = site.call(key, { token: ada.token, body })
    await eventually(
      async () =>
        (await runQuery(sql`SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)).length > 0,
      10,
      'the call to wait'
    )
    await other.query('COMMIT')
    return await call
  }, config.database.name)
}

it('what refers to something that is removed in the same moment is refused, and nothing is stored', async () => {
  const { id } = await seedVideo({ channelId: ada.channelId })
  const { status, json } = await callDuring(`DELETE FROM videos WHERE id = ${id}`, `POST /videos/${id}/comment-threads`, { text: 'Hello' })
  expect([status, json.status, json.title]).toEqual([409, 409, 'Conflict'])
  expect(await runQuery(sql`SELECT id FROM comments`)).toEqual([])
})

it('of two requests that wait for each other one is refused', async () => {
  const { id } = await seedVideo({ channelId: ada.channelId })
  const other = await seedVideo({ channelId: ada.channelId })
  const lock = async (first: number, second: number) =>
    await transaction(async tx => {
      await runQuery(sql`SELECT id FROM videos WHERE id = ${first} FOR UPDATE`, tx)
      await new Promise(resolve => setTimeout(resolve, 300))
      await runQuery(sql`SELECT id FROM videos WHERE id = ${second} FOR UPDATE`, tx)
    })
  const [one, two] = await Promise.allSettled([lock(id, other.id), lock(other.id, id)])
  const rejected = [one, two].flatMap(result => (result!.status === 'rejected' ? [result!.reason as unknown] : []))
  expect(rejected.map(isConflict)).toEqual([true])
  expect([isConflict(new Error('x')), isConflict(null)]).toEqual([false, false])
})

it('so is a change of what is removed in the same moment', async () => {
  const { json } = await site.call('POST /video-channels', { token: ada.token, body: { name: 'films', displayName: 'Films' } })
  const { status } = await callDuring(`DELETE FROM channels WHERE id = ${json.videoChannel.id}`, 'PUT /video-channels/films', {
    displayName: 'Other films'
  })
  expect(status).toBe(409)
})
