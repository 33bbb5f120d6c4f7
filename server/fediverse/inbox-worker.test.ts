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
    {
      federation: { inbox: { concurrency: 4 } },
      internals: { inbox: { batch: 10, checkInterval: 50, lease: 400, slowAfter: 150, maxSlow: 20 } }
    },
    []
  )
})
afterAll(async () => await site?.stop())

const workers: InboxWorker[] = []
beforeEach(async () => {
  await runQuery(sql`TRUNCATE incoming`)
})
afterEach(async () => {
  await Promise.all(workers.splice(0).map(async worker => await worker.stop()))
})

const sleep = async (ms: number) => await new Promise(resolve => setTimeout(resolve, ms))
const storeActivity = async (key: string, subject = key, lane = 0) =>
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
const startWorker = (processOne: (row: IncomingActivityRow) => Promise<string | null>, inOrder = true, queue = 0) => {
  const worker = startInboxWorker({ queue, inOrder, collectFor: 0, processOne })
  workers.push(worker)
  return worker
}
const outcomes = async () =>
  Object.fromEntries(
    (
      await runQuery<{ activity_id: string; outcome: string | null }>(
        sql`SELECT activity_id, CASE WHEN done_at IS NOT NULL THEN outcome END AS outcome FROM incoming ORDER BY id`
      )
    ).map(row => [row.activity_id, row.outcome])
  )
const waitUntilAllDone = async () =>
  await eventually(async () => Object.values(await outcomes()).every(Boolean), 10, 'the queue to be processed')

describe('storeIncomingActivity', () => {
  it('stores one activity for each key, however many arrive together', async () => {
    const results = await Promise.all([...Array(50).keys()].map(async number => await storeActivity(`key ${number % 10}`)))
    expect(results.filter(Boolean)).toHaveLength(10)
    expect(await storeActivity('key 3')).toBe(false)
    expect(Object.keys(await outcomes())).toHaveLength(10)
  })

  it('rejects the activities of a failed statement and continues with the next', async () => {
    await expect(storeActivity('with a \0')).rejects.toThrow()
    expect(await storeActivity('without')).toBe(true)
  })
})

describe('an inbox worker', () => {
  it('processes activities with one subject in order, and different subjects concurrently', async () => {
    for (const number of Array(12).keys()) await storeActivity(`a${number}`, 'a')
    for (const number of Array(12).keys()) await storeActivity(`b${number}`, 'b')
    const order: string[] = []
    const runningSubjects: Record<string, boolean> = {}
    let maxConcurrent = 0
    startWorker(async row => {
      expect(runningSubjects[row.subject], 'two of one subject at once').toBeFalsy()
      runningSubjects[row.subject] = true
      maxConcurrent = Math.max(maxConcurrent, Object.values(runningSubjects).filter(Boolean).length)
      await sleep(5)
      order.push(row.activity_id)
      runningSubjects[row.subject] = false
      return 'done'
    })
    await waitUntilAllDone()
    for (const subject of ['a', 'b'])
      expect(order.filter(id => id.startsWith(subject))).toEqual([...Array(12).keys()].map(number => subject + number))
    expect(maxConcurrent).toBe(2)
  })

  it('respects its concurrency, and deletes the bodies of processed activities', async () => {
    for (const number of Array(30).keys()) await storeActivity(`key ${number}`)
    let concurrent = 0
    let maxConcurrent = 0
    startWorker(async () => {
      maxConcurrent = Math.max(maxConcurrent, ++concurrent)
      await sleep(10)
      concurrent--
      return 'done'
    })
    await waitUntilAllDone()
    expect(maxConcurrent).toBe(4)
    expect(await runQuery(sql`SELECT id FROM incoming WHERE body IS NOT NULL`)).toEqual([])
  })

  it('activities that wait for a slow server do not hold up others', async () => {
    for (const number of Array(6).keys()) await storeActivity(`slow ${number}`)
    for (const number of Array(6).keys()) await storeActivity(`quick ${number}`)
    const done: string[] = []
    startWorker(async ({ activity_id }) => {
      if (activity_id.startsWith('slow')) await sleep(1200)
      done.push(activity_id)
      return 'done'
    })
    await waitUntilAllDone()
    expect(
      done.slice(0, 6).every(id => id.startsWith('quick')),
      done.join()
    ).toBe(true)
  })

  it('passes the first activity of each subject to processBatch, and the rest to processOne', async () => {
    for (const key of ['a1', 'b1', 'a2', 'c1', 'odd']) await storeActivity(key, key[0]!)
    const [batches, processedAlone]: [string[][], string[]] = [[], []]
    const worker = startInboxWorker({
      queue: 0,
      inOrder: true,
      collectFor: 0,
      processOne: async ({ activity_id }) => {
        processedAlone.push(activity_id)
        return 'done alone'
      },
      processBatch: async rows => {
        batches.push(rows.map(row => row.activity_id))
        return new Map(
          rows.filter(row => row.activity_id !== 'odd').map(row => [row.id, row.activity_id === 'c1' ? 'it concerns nothing here' : 'done'])
        )
      }
    })
    workers.push(worker)
    await waitUntilAllDone()
    expect(batches).toEqual([['a1', 'b1', 'c1', 'odd']])
    expect(processedAlone.sort()).toEqual(['a2', 'odd'])
    expect(await outcomes()).toEqual({ a1: 'done', b1: 'done', c1: 'it concerns nothing here', a2: 'done alone', odd: 'done alone' })
  })

  it('processes activities one by one when processBatch fails', async () => {
    for (const key of ['a', 'b', 'c']) await storeActivity(key)
    workers.push(
      startInboxWorker({
        queue: 0,
        inOrder: true,
        collectFor: 0,
        processOne: async () => 'done',
        processBatch: async () => {
          throw new Error('not now')
        }
      })
    )
    await waitUntilAllDone()
  })

  it('later activities wait while an earlier one with the same subject is postponed', async () => {
    await storeActivity('first', 's')
    await storeActivity('second', 's')
    await storeActivity('other', 't')
    let attempts = 0
    const order: string[] = []
    startWorker(async row => {
      if (row.activity_id === 'first' && ++attempts < 3) {
        await postponeIncomingActivity(row.id, 150, 'not now')
        return null
      }
      order.push(row.activity_id)
      return 'done'
    })
    await waitUntilAllDone()
    expect(order).toEqual(['other', 'first', 'second'])
  })

  it('two workers process every activity exactly once and in order', async () => {
    for (const number of Array(60).keys()) await storeActivity(`key ${number}`, `subject ${number % 7}`)
    const done: string[] = []
    const processOne = async (row: IncomingActivityRow) => {
      await sleep(1)
      done.push(row.activity_id)
      return 'done'
    }
    startWorker(processOne)
    startWorker(processOne)
    await waitUntilAllDone()
    expect(new Set(done).size).toBe(60)
    expect(done).toHaveLength(60)
    for (const subject of Array(7).keys()) {
      const ofSubject = done.map(id => Number(id.slice(4))).filter(number => number % 7 === subject)
      expect(ofSubject).toEqual([...ofSubject].sort((id, other) => id - other))
    }
  })

  it('renews its leases, and an activity of a dead worker is claimed again after its lease', async () => {
    await storeActivity('long')
    let attempts = 0
    const slowWorker = startWorker(async () => {
      attempts++
      await sleep(1000)
      return 'done'
    })
    await waitUntilAllDone()
    expect(attempts).toBe(1)
    await slowWorker.stop()
    await storeActivity('orphan')
    expect(await claimIncomingActivities(0, 10, true)).toHaveLength(1)
    const leasedUntil = async (moment: Date) =>
      await runQuery(sql`UPDATE incoming SET leased_until = ${moment} WHERE activity_id = 'orphan'`)
    await leasedUntil(new Date(Date.now() + 3_600_000))
    expect(await claimIncomingActivities(0, 10, true)).toHaveLength(0)
    await leasedUntil(new Date())
    startWorker(async () => 'done')
    await waitUntilAllDone()
    expect((await runQuery<{ attempts: number }>(sql`SELECT attempts FROM incoming WHERE activity_id = 'orphan'`))[0]!.attempts).toBe(2)
  })

  it('an activity that could not even be postponed is processed again after its lease', async () => {
    await storeActivity('unlucky')
    let attempts = 0
    startWorker(async () => {
      if (++attempts === 1) throw new Error('no database')
      return 'done'
    })
    await waitUntilAllDone()
    expect(attempts).toBe(2)
  })

  it('releases activities that it did not start when it is stopped', async () => {
    for (const number of Array(10).keys()) await storeActivity(`key ${number}`, 'one subject')
    const worker = startInboxWorker({
      queue: 0,
      inOrder: true,
      collectFor: 0,
      processOne: async () => {
        await sleep(500)
        return 'done'
      }
    })
    await eventually(async () => (await runQuery(sql`SELECT id FROM incoming WHERE leased_until IS NOT NULL`)).length > 0)
    await worker.stop()
    const unprocessed = await runQuery<{ leased: boolean; attempts: number }>(
      sql`SELECT leased_until IS NOT NULL AS leased, attempts FROM incoming WHERE done_at IS NULL`
    )
    expect(unprocessed.length).toBeGreaterThan(5)
    expect(unprocessed.every(row => !row.leased && row.attempts === 0)).toBe(true)
  })

  it('collects arrivals for the configured time before it claims them', async () => {
    const startedAt = Date.now()
    const worker = startInboxWorker({ queue: 1, inOrder: false, collectFor: 1000, processOne: async () => 'done' })
    workers.push(worker)
    for (const number of Array(95).keys()) await storeActivity(`view ${number}`, 'views', 1)
    worker.wake()
    await waitUntilAllDone()
    expect(Date.now() - startedAt).toBeGreaterThan(990)
    // Ten batches, but collected only once.
    expect(Date.now() - startedAt).toBeLessThan(8000)
  })
})

describe('rows of `incoming`', () => {
  it('leases are renewed, released and ended', async () => {
    await storeActivity('one')
    const [row] = await claimIncomingActivities(0, 1, true)
    await renewIncomingLeases([row!.id])
    expect(await claimIncomingActivities(0, 1, true)).toEqual([])
    await releaseIncomingActivities([row!.id])
    const [again] = await claimIncomingActivities(0, 1, true)
    expect(again).toMatchObject({ id: row!.id, attempts: 1, activity_id: 'one', body: '{}' })
    await finishIncomingActivities([{ id: row!.id, outcome: 'done' }])
    await sleep(450)
    expect(await claimIncomingActivities(0, 1, true)).toEqual([])
  })

  it('a forwarded activity gets its own id once', async () => {
    await storeActivity('via https://a.example/1')
    await storeActivity('via2 https://a.example/1')
    const [first, second] = await claimIncomingActivities(0, 2, true)
    expect(await setVerifiedActivityId(first!.id, 'https://a.example/1', 'ld')).toBe(true)
    expect(await setVerifiedActivityId(first!.id, 'https://a.example/1', 'ld')).toBe(true)
    expect(await setVerifiedActivityId(second!.id, 'https://a.example/1', 'ld')).toBe(false)
  })

  it('ids are deleted after their retention time, repeatable ones earlier', async () => {
    for (const key of ['fresh', 'old', 'older']) await storeActivity(key)
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
