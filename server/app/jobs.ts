import type { Job } from '../core/job.ts'
import { crawlCommentsJob } from '../comments/crawl-comments.job.ts'
import { crawlDueCommentsJob } from '../comments/crawl-due-comments.job.ts'
import { crawlDueCommentersJob } from '../comments/crawl-commenters.job.ts'
import { crawlDueRepliesJob } from '../comments/crawl-replies.job.ts'
import { removeCommentsJob } from '../comments/remove-comments.job.ts'
import { retryWantedFollows } from '../actors/wanted-follows.job.ts'
import { refreshRemoteActors } from '../actors/refresh-actors.job.ts'
import { foldChangeCountsJob } from '../core/fold-change-counts.job.ts'
import { sweepRefusals } from '../core/sweep-refusals.job.ts'
import { sweepTokens } from '../accounts/sweep-tokens.job.ts'
import { refreshObjects } from '../fediverse/refresh-objects.job.ts'
import { sweepOutbox } from '../fediverse/sweep-outbox.job.ts'
import { sweepIncoming } from '../fediverse/sweep-incoming.job.ts'
import { crawlFollowedPlaylistsJob } from '../playlists/crawl-followed-playlists.job.ts'
import { crawlPlaylistElementsJob } from '../playlists/crawl-playlist-elements.job.ts'
import { crawlPlaylistsOfActorJob } from '../playlists/crawl-playlists-of-actor.job.ts'
import { sweepRedundancies } from '../redundancy/sweep-redundancies.job.ts'
import { reconcileTranscoding } from '../transcoding/reconcile-transcoding.job.ts'
import { transcodeVideos } from '../transcoding/transcode-videos.job.ts'
import { sweepUploads } from '../uploads/sweep-uploads.job.ts'
import { sendDueCounters } from '../videos/counters.job.ts'
import { crawlDueOutboxes } from '../videos/crawl-due-outboxes.job.ts'
import { crawlOutboxJob } from '../videos/crawl.job.ts'
import { fetchDueVideoCollections } from '../videos/fetch-due-video-collections.job.ts'
import { fetchVideoCollections } from '../videos/fetch-video-collections.job.ts'
import { refreshRemoteVideos } from '../videos/refresh.job.ts'
import { makeTorrentsJob } from '../videos/make-torrents.job.ts'
import { renameFilesJob } from '../videos/rename-files.job.ts'
import { makeUploadedFileTorrents } from '../videos/make-uploaded-file-torrents.job.ts'
import { sweepOrphanFiles } from '../videos/sweep-orphan-files.job.ts'
import { sendDueUpdates } from '../videos/send-due-updates.job.ts'
import { publishScheduledVideos } from '../videos/publish-scheduled.job.ts'
import { countNewViews } from '../views/count-views.job.ts'
import { sweepViewMarks } from '../views/sweep-view-marks.job.ts'

/** Every job. */
export const allJobs: Job[] = [
  crawlOutboxJob,
  crawlDueOutboxes,
  crawlCommentsJob,
  crawlDueCommentsJob,
  crawlDueCommentersJob,
  crawlDueRepliesJob,
  removeCommentsJob,
  crawlPlaylistElementsJob,
  crawlPlaylistsOfActorJob,
  crawlFollowedPlaylistsJob,
  refreshRemoteVideos,
  fetchVideoCollections,
  fetchDueVideoCollections,
  sendDueCounters,
  sendDueUpdates,
  makeTorrentsJob,
  renameFilesJob,
  makeUploadedFileTorrents,
  transcodeVideos,
  reconcileTranscoding,
  publishScheduledVideos,
  sweepOrphanFiles,
  sweepUploads,
  sweepTokens,
  foldChangeCountsJob,
  sweepRefusals,
  countNewViews,
  sweepViewMarks,
  sweepRedundancies,
  refreshRemoteActors,
  sweepIncoming,
  sweepOutbox,
  refreshObjects,
  retryWantedFollows
]
