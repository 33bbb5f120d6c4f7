import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import {
  claimIncomingActivities,
  finishIncomingActivities,
  deleteProcessedActivities,
  postponeIncomingActivity,
  releaseIncomingActivities,
  renewIncomingLeases,
  setVerifiedActivityId,
  type IncomingActivityRow
} from './incoming.query.ts'
import { startInboxWorker, type InboxWorker } from './inbox-worker.ts'
import { storeIncomingActivity } from './store-incoming-activity.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance(
    { federation: { inbox: { concurrency: 4, batch: 10, check_interval: '50 ms', lease: '400 ms', slow_after: '150 ms', max_slow: 20 } } },
    []
  )
})
afterAll(async () => await site?.stop())

const lanes: InboxWorker[] = []
beforeEach(async () => {
  await runQuery(sql`TRUNCATE incoming`)
})
afterEach(async () => {
  await Promise.all(lanes.splice(0).map(async lane => await lane.stop()))
})

const pause = async (ms: number) => await new Promise(resolve => setTimeout(resolve, ms))
const put = async (key: string, subject = key, lane = 0) =>
  await storeIncomingActivity({
    key,
    subject,
    lane,
    digest: 'd',
    type: 'Like',
    actor: 'https://a.example/a',
    signer: 'https://a.example/a',
    proof: 'http',
    host: 'a.example',
    body: '{}'
  })
const open = (work: (row: IncomingActivityRow) => Promise<string | null>, inOrder = true, lane = 0) => {
  const opened = startInboxWorker({ lane, inOrder, pause: 0, work })
  lanes.push(opened)
  return opened
}
const outcomes = async () =>
  Object.fromEntries(
    (
      await runQuery<{ activity_id: string; outcome: string | null }>(
        sql`SELECT activity_id, CASE WHEN done_at IS NOT NULL THEN outcome END AS outcome FROM incoming ORDER BY id`
      )
    ).map(row => [row.activity_id, row.outcome])
  )
const allDone = async () => await eventually(async () => Object.values(await outcomes()).every(Boolean), 10, 'the lane')

describe('storing', () => {
  it('keeps one of a key, however many arrive together', async () => {
    const fresh = await Promise.all([...Array(50).keys()].map(async number => await put(`key ${number % 10}`)))
    expect(fresh.filter(Boolean)).toHaveLength(10)
    expect(await put('key 3')).toBe(false)
    expect(Object.keys(await outcomes())).toHaveLength(10)
  })

  it('fails those whose statement fails, and goes on with the next', async () => {
    await expect(put('with a \0')).rejects.toThrow()
    expect(await put('without')).toBe(true)
  })
})

describe('a lane', () => {
  it('takes what is about one subject in order, and subjects side by side', async () => {
    for (const number of Array(12).keys()) await put(`a${number}`, 'a')
    for (const number of Array(12).keys()) await put(`b${number}`, 'b')
    const order: string[] = []
    const beginnings: Record<string, boolean> = {}
    let most = 0
    open(async row => {
      expect(beginnings[row.subject], 'two of one subject at once').toBeFalsy()
      beginnings[row.subject] = true
      most = Math.max(most, Object.values(beginnings).filter(Boolean).length)
      await pause(5)
      order.push(row.activity_id)
      beginnings[row.subject] = false
      return 'done'
    })
    await allDone()
    for (const subject of ['a', 'b'])
      expect(order.filter(one => one.startsWith(subject))).toEqual([...Array(12).keys()].map(number => subject + number))
    expect(most).toBe(2)
  })

  it('keeps to its number at once, and drops the words of what is done', async () => {
    for (const number of Array(30).keys()) await put(`key ${number}`)
    let now = 0
    let most = 0
    open(async () => {
      most = Math.max(most, ++now)
      await pause(10)
      now--
      return 'done'
    })
    await allDone()
    expect(most).toBe(4)
    expect(await runQuery(sql`SELECT id FROM incoming WHERE body IS NOT NULL`)).toEqual([])
  })

  it('lets others pass by those that wait for a slow server', async () => {
    for (const number of Array(6).keys()) await put(`slow ${number}`)
    for (const number of Array(6).keys()) await put(`quick ${number}`)
    const done: string[] = []
    open(async ({ activity_id }) => {
      if (activity_id.startsWith('slow')) await pause(1200)
      done.push(activity_id)
      return 'done'
    })
    await allDone()
    expect(
      done.slice(0, 6).every(one => one.startsWith('quick')),
      done.join()
    ).toBe(true)
  })

  it('hands the first of each subject to who does them together, and the rest goes its way', async () => {
    for (const key of ['a1', 'b1', 'a2', 'c1', 'odd']) await put(key, key[0]!)
    const [batches, alone]: [string[][], string[]] = [[], []]
    const opened = startInboxWorker({
      lane: 0,
      inOrder: true,
      pause: 0,
      work: async ({ activity_id }) => {
        alone.push(activity_id)
        return 'done alone'
      },
      together: async rows => {
        batches.push(rows.map(row => row.activity_id))
        return new Map(
          rows.filter(row => row.activity_id !== 'odd').map(row => [row.id, row.activity_id === 'c1' ? 'nobody took it' : 'done'])
        )
      }
    })
    lanes.push(opened)
    await allDone()
    expect(batches).toEqual([['a1', 'b1', 'c1', 'odd']])
    expect(alone.sort()).toEqual(['a2', 'odd'])
    expect(await outcomes()).toEqual({ a1: 'done', b1: 'done', c1: 'nobody took it', a2: 'done alone', odd: 'done alone' })
  })

  it('does one by one what could not be done together', async () => {
    for (const key of ['a', 'b', 'c']) await put(key)
    lanes.push(
      startInboxWorker({
        lane: 0,
        inOrder: true,
        pause: 0,
        work: async () => 'done',
        together: async () => {
          throw new Error('not now')
        }
      })
    )
    await allDone()
  })

  it('lets what comes later wait while an earlier one about the same waits for another try', async () => {
    await put('first', 's')
    await put('second', 's')
    await put('other', 't')
    let tries = 0
    const order: string[] = []
    open(async row => {
      if (row.activity_id === 'first' && ++tries < 3) {
        await postponeIncomingActivity(row.id, 150, 'not now')
        return null
      }
      order.push(row.activity_id)
      return 'done'
    })
    await allDone()
    expect(order).toEqual(['other', 'first', 'second'])
  })

  it('two workers share the work and do nothing twice', async () => {
    for (const number of Array(60).keys()) await put(`key ${number}`, `subject ${number % 7}`)
    const done: string[] = []
    const work = async (row: IncomingActivityRow) => {
      await pause(1)
      done.push(row.activity_id)
      return 'done'
    }
    open(work)
    open(work)
    await allDone()
    expect(new Set(done).size).toBe(60)
    expect(done).toHaveLength(60)
    for (const subject of Array(7).keys()) {
      const mine = done.map(one => Number(one.slice(4))).filter(number => number % 7 === subject)
      expect(mine).toEqual([...mine].sort((one, other) => one - other))
    }
  })

  it('keeps its lease while it works, and what a dead worker held is taken again', async () => {
    await put('long')
    let tries = 0
    const busy = open(async () => {
      tries++
      await pause(1000)
      return 'done'
    })
    await allDone()
    expect(tries).toBe(1)
    await busy.stop()
    await put('orphan')
    expect(await claimIncomingActivities(0, 10, true)).toHaveLength(1)
    const leasedUntil = async (moment: Date) =>
      await runQuery(sql`UPDATE incoming SET leased_until = ${moment} WHERE activity_id = 'orphan'`)
    await leasedUntil(new Date(Date.now() + 3_600_000))
    expect(await claimIncomingActivities(0, 10, true)).toHaveLength(0)
    await leasedUntil(new Date())
    open(async () => 'done')
    await allDone()
    expect((await runQuery<{ attempts: number }>(sql`SELECT attempts FROM incoming WHERE activity_id = 'orphan'`))[0]!.attempts).toBe(2)
  })

  it('lets go of what could not even be postponed', async () => {
    await put('unlucky')
    let tries = 0
    open(async () => {
      if (++tries === 1) throw new Error('no database')
      return 'done'
    })
    await allDone()
    expect(tries).toBe(2)
  })

  it('puts back what it did not begin when it is stopped', async () => {
    for (const number of Array(10).keys()) await put(`key ${number}`, 'one subject')
    const lane = startInboxWorker({
      lane: 0,
      inOrder: true,
      pause: 0,
      work: async () => {
        await pause(500)
        return 'done'
      }
    })
    await eventually(async () => (await runQuery(sql`SELECT id FROM incoming WHERE leased_until IS NOT NULL`)).length > 0)
    await lane.stop()
    const left = await runQuery<{ leased: boolean; attempts: number }>(
      sql`SELECT leased_until IS NOT NULL AS leased, attempts FROM incoming WHERE done_at IS NULL`
    )
    expect(left.length).toBeGreaterThan(5)
    expect(left.every(row => !row.leased && row.attempts === 0)).toBe(true)
  })

  it('collects for a while where that is asked', async () => {
    const begun = Date.now()
    const lane = startInboxWorker({ lane: 1, inOrder: false, pause: 1000, work: async () => 'done' })
    lanes.push(lane)
    for (const number of Array(95).keys()) await put(`view ${number}`, 'views', 1)
    lane.wake()
    await allDone()
    expect(Date.now() - begun).toBeGreaterThan(990)
    // Ten batches, but not ten pauses.
    expect(Date.now() - begun).toBeLessThan(8000)
  })
})

describe('what is kept', () => {
  it('leases are renewed, put back and ended', async () => {
    await put('one')
    const [row] = await claimIncomingActivities(0, 1, true)
    await renewIncomingLeases([row!.id])
    expect(await claimIncomingActivities(0, 1, true)).toEqual([])
    await releaseIncomingActivities([row!.id])
    const [again] = await claimIncomingActivities(0, 1, true)
    expect(again).toMatchObject({ id: row!.id, attempts: 1, activity_id: 'one', body: '{}' })
    await finishIncomingActivities([{ id: row!.id, outcome: 'done' }])
    await pause(450)
    expect(await claimIncomingActivities(0, 1, true)).toEqual([])
  })

  it('an activity that came through others gets its own id once', async () => {
    await put('via https://a.example/1')
    await put('via2 https://a.example/1')
    const [first, second] = await claimIncomingActivities(0, 2, true)
    expect(await setVerifiedActivityId(first!.id, 'https://a.example/1', 'ld')).toBe(true)
    expect(await setVerifiedActivityId(first!.id, 'https://a.example/1', 'ld')).toBe(true)
    expect(await setVerifiedActivityId(second!.id, 'https://a.example/1', 'ld')).toBe(false)
  })

  it('ids are forgotten when their time is over, those that repeat sooner', async () => {
    for (const key of ['fresh', 'old', 'older']) await put(key)
    await runQuery(sql`UPDATE incoming SET type = CASE activity_id WHEN 'older' THEN 'Create' ELSE 'Like' END`)
    await runQuery(sql`UPDATE incoming SET done_at = now() - interval '1 hour' WHERE activity_id = 'fresh'`)
    await runQuery(sql`UPDATE incoming SET done_at = now() - interval '3 hours' WHERE activity_id <> 'fresh'`)
    await deleteProcessedActivities(['Like'])
    expect(Object.keys(await outcomes())).toEqual(['fresh', 'older'])
    await runQuery(sql`UPDATE incoming SET done_at = now() - interval '4 days'`)
    await deleteProcessedActivities(['Like'])
    expect(await outcomes()).toEqual({})
  })
})
