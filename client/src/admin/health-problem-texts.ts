import type { HealthFault } from '../../../shared/administration.ts'
import type { TextKey } from '../i18n/catalogue.ts'

/** The texts for each health problem, what to do about it, and the page (`path`) where that can be done. */
export const HEALTH_PROBLEM_TEXTS: Record<HealthFault['code'], { problem: TextKey; remedy: TextKey; path?: string }> = {
  disk_full: { problem: 'health.diskFull', remedy: 'health.diskFullDo' },
  disk_low: { problem: 'health.diskLow', remedy: 'health.diskLowDo' },
  memory_low: { problem: 'health.memoryLow', remedy: 'health.memoryLowDo' },
  redis_gone: { problem: 'health.redisGone', remedy: 'health.redisGoneDo' },
  ffmpeg_missing: { problem: 'health.ffmpegMissing', remedy: 'health.ffmpegMissingDo' },
  no_workers: { problem: 'health.noWorkers', remedy: 'health.noWorkersDo' },
  jobs_paused: { problem: 'health.jobsPaused', remedy: 'health.jobsPausedDo' },
  encodings_failed: { problem: 'health.encodingsFailed', remedy: 'health.encodingsFailedDo', path: '/admin/jobs?tab=encodings' },
  encodings_late: { problem: 'health.encodingsLate', remedy: 'health.encodingsLateDo', path: '/admin/jobs?tab=encodings' },
  jobs_failed: { problem: 'health.jobsFailed', remedy: 'health.jobsFailedDo', path: '/admin/jobs?tab=failed' },
  inbox_full: { problem: 'health.inboxFull', remedy: 'health.inboxFullDo' },
  peers_troubled: { problem: 'health.peersTroubled', remedy: 'health.peersTroubledDo', path: '/admin/federation?tab=peers' },
  proxy_rewrites_host: { problem: 'health.hostRewritten', remedy: 'health.hostRewrittenDo' },
  activities_unsendable: { problem: 'health.unsendable', remedy: 'health.unsendableDo', path: '/admin/federation?tab=activities' },
  slow_statements: { problem: 'health.slowStatements', remedy: 'health.slowStatementsDo' },
  videos_refused: { problem: 'health.videosRefused', remedy: 'health.videosRefusedDo', path: '/admin/federation?tab=peers' }
}
