import type { Job } from '../core/job.ts'
import { readComments, readCommentsDue } from '../comments/read-comments.job.ts'
import { followWanted } from '../actors/wanted-follows.job.ts'
import { refreshActors } from '../actors/refresh-actors.job.ts'
import { sweepTokens } from '../accounts/sweep-tokens.job.ts'
import { sweepOutbox } from '../fediverse/peers.ts'
import { sweepIncoming } from '../fediverse/process.job.ts'
import { readElements, readPlaylists, readPlaylistsOf } from '../playlists/read-playlists.job.ts'
import { sweepRedundancies } from '../redundancy/sweep-redundancies.job.ts'
import { reconcile } from '../transcoding/reconcile.job.ts'
import { transcode } from '../transcoding/transcode.job.ts'
import { sweepUploads } from '../uploads/sweep-uploads.job.ts'
import { crawl, fetchAround, fetchAroundDue, refreshVideos, repair, tellCounters } from '../videos/repair.job.ts'
import { sweepOrphans } from '../videos/sweep-orphans.job.ts'
import { publishScheduled } from '../videos/schedule.job.ts'
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
