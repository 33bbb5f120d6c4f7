import { refreshRemoteActors } from '../actors/refresh-actors.job.ts'
import { crawlDueCommentersJob } from '../comments/crawl-commenters.job.ts'
import { crawlDueCommentsJob } from '../comments/crawl-due-comments.job.ts'
import { crawlDueRepliesJob } from '../comments/crawl-replies.job.ts'
import { openQueue, type Job } from '../core/job.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { crawlFollowedPlaylistsJob } from '../playlists/crawl-followed-playlists.job.ts'
import { crawlDueOutboxes } from '../videos/crawl-due-outboxes.job.ts'
import { fetchDueVideoCollections } from '../videos/fetch-due-video-collections.job.ts'
import { refreshRemoteVideos } from '../videos/refresh.job.ts'
import { eventually } from './instance.ts'

/** The jobs that read again what was missed in an outage (docs/federation.md#repair). */
export const REPAIR_JOBS: Job[] = [
  refreshRemoteVideos,
  refreshRemoteActors,
  crawlDueCommentsJob,
  crawlDueRepliesJob,
  crawlDueCommentersJob,
  crawlDueOutboxes,
  fetchDueVideoCollections
]

/** Runs each job once, and what else is read from time to time. */
export async function runRepairJobs(jobs: Job[] = [...REPAIR_JOBS, crawlFollowedPlaylistsJob]): Promise<void> {
  for (const job of jobs) await job.run({}, { progress: () => undefined, signal: new AbortController().signal })
}

/** Marks everything that was read from other servers as read before an outage that has just ended. */
export async function pretendOutage(): Promise<void> {
  await runQuery(sql`UPDATE uptime SET missed_from = now() - interval '1 hour', missed_until = now()`)
  await runQuery(sql`UPDATE actors SET outbox_read_at = NULL WHERE host IS NOT NULL`)
}

/**
 * Waits until nothing that was received is to be processed and nothing is to be read from other servers, nor any of `more` (queries of
 * `what`). Throws with what is left after 30 s.
 */
export async function waitUntilFederationIsIdle(more: Sql[] = []): Promise<void> {
  const open = more.reduce(
    (all, one) => sql`${all} UNION ALL ${one}`,
    sql`SELECT 'activity ' || activity_id AS what FROM incoming WHERE done_at IS NULL
      UNION ALL SELECT 'object ' || url FROM object_refreshes WHERE fetched_at IS NULL OR requested_at > fetched_at
      UNION ALL SELECT 'collections of ' || url FROM videos WHERE remote AND gone_at IS NULL AND around_due_at <= now()`
  )
  let left: unknown[] = []
  // Jobs first: what one of them leaves in a table is found there.
  const isIdle = async () => (left = [...(await listQueuedJobs()), ...(await runQuery(open))]).length === 0
  await eventually(isIdle, 30, 'an end of the work').catch(error => {
    throw new Error(`${error.message}: ${JSON.stringify(left)}`)
  })
}

/** Names of the federation jobs that run or wait, but for the timers of repeated ones. */
async function listQueuedJobs(): Promise<string[]> {
  const jobs = await (await openQueue('federation')).getJobs(['waiting', 'active', 'prioritized', 'delayed'])
  return jobs.filter(job => job && (job.repeatJobKey === undefined || job.processedOn !== undefined)).map(({ name }) => name)
}
