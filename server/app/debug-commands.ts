import type { Job } from '../core/job.ts'
import { sweepUploads } from '../uploads/sweep-uploads.job.ts'
import { publishScheduledVideos } from '../videos/publish-scheduled.job.ts'
import { countNewViews } from '../views/count-views.job.ts'

/** PeerTube's debug commands, with the jobs that do their work here; commands of features that do not exist are unknown. */
export const debugCommands: Readonly<Record<string, Job>> = {
  'remove-dandling-resumable-uploads': sweepUploads,
  'process-video-views-buffer': countNewViews,
  'process-video-viewers': countNewViews,
  'process-update-videos-scheduler': publishScheduledVideos
}
