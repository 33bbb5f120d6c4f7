import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allJobs } from '../app/jobs.ts'
import type { Job } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from './instance.ts'
import { measureStatements } from './query-plans.ts'
import { seedFederation } from './seed-federation.ts'

/** Blocks of 8 KiB that a statement of a timer may read where nothing is due: those of the ways down some indexes. */
const MAX_BLOCKS = 150
/** Rows that it may read and not want. */
const MAX_REMOVED = 60

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({}, [])
  await seedFederation({ remoteActors: 10_000, remoteVideos: 20_000, localVideos: 10_000, remoteComments: 20_000, followers: 5000 })
  await runQuery(sql`INSERT INTO tombstones (url) SELECT 'https://h.example/t/' || n FROM generate_series(1, 20000) n`)
  await runQuery(sql`INSERT INTO uptime (seen_at) VALUES (now()) ON CONFLICT DO NOTHING`)
  await runQuery(sql`VACUUM ANALYZE tombstones`)
})
afterAll(async () => await site?.stop())

const runJob = async (job: Job) => await job.run({}, { signal: new AbortController().signal, progress: () => undefined })
const timers = allJobs.filter(job => job.every)
const timer = (name: string) => timers.find(job => job.name === name)!

describe('where nothing is due, a timer reads next to nothing of tables with 20,000 rows:', () => {
  it.each(timers.map(job => [job.name, job] as const))('%s', async (_name, job) => {
    // What the first run of a process does only once.
    await runJob(job)
    for (const { text, blocks, removed } of await measureStatements(async () => await runJob(job))) {
      expect({ text, blocks, removed, tooMuch: blocks > MAX_BLOCKS || removed > MAX_REMOVED }).toMatchObject({ tooMuch: false })
    }
  })
})

describe('where much waits for a server that does not answer, a timer reads nothing of it:', () => {
  it('refresh-videos', async () => {
    await runQuery(sql`
      UPDATE videos SET refreshed_at = now() - interval '30 days', refresh_attempts = 5, refresh_not_before = now() + interval '1 hour',
        forbidden_since = CASE WHEN id % 2 = 0 THEN now() END WHERE id % 2 = 0`)
    await runQuery(sql`VACUUM ANALYZE videos`)
    for (const { text, blocks, removed } of await measureStatements(async () => await runJob(timer('refresh-videos')))) {
      expect({ text, blocks, removed, tooMuch: blocks > MAX_BLOCKS || removed > MAX_REMOVED }).toMatchObject({ tooMuch: false })
    }
  })
})
