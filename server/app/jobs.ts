import type { Job } from '../core/job.ts'
import { readComments, readCommentsDue } from '../comments/crawl-comments.job.ts'
import { followWanted } from '../actors/wanted-follows.job.ts'
import { refreshActors } from '../actors/refresh-actors.job.ts'
import { sweepTokens } from '../accounts/sweep-tokens.job.ts'
import { sweepOutbox } from '../fediverse/peers.ts'
import { sweepIncoming } from '../fediverse/process-inbox.job.ts'
import { readElements, readPlaylists, readPlaylistsOf } from '../playlists/crawl-playlists.job.ts'
import { sweepRedundancies } from '../redundancy/sweep-redundancies.job.ts'
import { reconcile } from '../transcoding/reconcile-transcoding.job.ts'
import { transcode } from '../transcoding/transcode-videos.job.ts'
import { sweepUploads } from '../uploads/sweep-uploads.job.ts'
import { crawl, fetchAround, fetchAroundDue, refreshVideos, repair, tellCounters } from '../videos/crawl.job.ts'
import { sweepOrphans } from '../videos/sweep-orphan-files.job.ts'
import { publishScheduled } from '../videos/publish-scheduled.job.ts'
import { countNewViews, sweepViews } from '../views/count-views.job.ts'

/** Every job. */
export const jobs: Job[] = [
  crawl,
  repair,
  readComments,
  readCommentsDue,
  readElements,
  readPlaylistsOf,
  readPlaylists,
  refreshVideos,
  fetchAround,
  fetchAroundDue,
  tellCounters,
  transcode,
  reconcile,
  publishScheduled,
  sweepOrphans,
  sweepUploads,
  sweepTokens,
  countNewViews,
  sweepViews,
  sweepRedundancies,
  refreshActors,
  sweepIncoming,
  sweepOutbox,
  followWanted
]
