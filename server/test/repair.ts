import { refreshRemoteActors } from '../actors/refresh-actors.job.ts'
import { crawlDueCommentersJob } from '../comments/crawl-commenters.job.ts'
import { crawlDueCommentsJob } from '../comments/crawl-due-comments.job.ts'
import { crawlDueRepliesJob } from '../comments/crawl-replies.job.ts'
import type { Job } from '../core/job.ts'
import { runQuery, sql } from '../core/sql.ts'
import { crawlFollowedPlaylistsJob } from '../playlists/crawl-followed-playlists.job.ts'
import { crawlDueOutboxes } from '../videos/crawl-due-outboxes.job.ts'
import { fetchDueVideoCollections } from '../videos/fetch-due-video-collections.job.ts'
import { refreshRemoteVideos } from '../videos/refresh.job.ts'

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
