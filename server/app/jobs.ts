import type { Job } from '../core/job.ts'
import { crawlCommentsJob, crawlDueCommentsJob } from '../comments/crawl-comments.job.ts'
import { retryWantedFollows } from '../actors/wanted-follows.job.ts'
import { refreshRemoteActors } from '../actors/refresh-actors.job.ts'
import { sweepTokens } from '../accounts/sweep-tokens.job.ts'
import { sweepOutbox } from '../fediverse/peers.ts'
import { sweepIncoming } from '../fediverse/process-inbox.job.ts'
import { crawlPlaylistElementsJob, crawlFollowedPlaylistsJob, crawlPlaylistsOfActorJob } from '../playlists/crawl-playlists.job.ts'
import { sweepRedundancies } from '../redundancy/sweep-redundancies.job.ts'
import { reconcileTranscoding } from '../transcoding/reconcile-transcoding.job.ts'
import { transcodeVideos } from '../transcoding/transcode-videos.job.ts'
import { sweepUploads } from '../uploads/sweep-uploads.job.ts'
import {
  crawlOutboxJob,
  fetchVideoCollections,
  fetchDueVideoCollections,
  refreshRemoteVideos,
  crawlDueOutboxes,
  sendDueCounters
} from '../videos/crawl.job.ts'
import { sweepOrphanFiles } from '../videos/sweep-orphan-files.job.ts'
import { publishScheduledVideos } from '../videos/publish-scheduled.job.ts'
import { countNewViews, sweepViewMarks } from '../views/count-views.job.ts'

/** Every job. */
export const allJobs: Job[] = [
  crawlOutboxJob,
  crawlDueOutboxes,
  crawlCommentsJob,
  crawlDueCommentsJob,
  crawlPlaylistElementsJob,
  crawlPlaylistsOfActorJob,
  crawlFollowedPlaylistsJob,
  refreshRemoteVideos,
  fetchVideoCollections,
  fetchDueVideoCollections,
  sendDueCounters,
  transcodeVideos,
  reconcileTranscoding,
  publishScheduledVideos,
  sweepOrphanFiles,
  sweepUploads,
  sweepTokens,
  countNewViews,
  sweepViewMarks,
  sweepRedundancies,
  refreshRemoteActors,
  sweepIncoming,
  sweepOutbox,
  retryWantedFollows
]
