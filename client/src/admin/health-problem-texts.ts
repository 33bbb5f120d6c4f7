import type { HealthFault } from '../../../shared/administration.ts'
import type { TextKey } from '../i18n/catalogue.ts'

/** What is wrong in words, what to do about it, and where. */
export const HEALTH_PROBLEM_TEXTS: Record<HealthFault['code'], { what: TextKey; remedy: TextKey; path?: string }> = {
  disk_full: { what: 'health.diskFull', remedy: 'health.diskFullDo' },
  disk_low: { what: 'health.diskLow', remedy: 'health.diskLowDo' },
  memory_low: { what: 'health.memoryLow', remedy: 'health.memoryLowDo' },
  redis_gone: { what: 'health.redisGone', remedy: 'health.redisGoneDo' },
  ffmpeg_missing: { what: 'health.ffmpegMissing', remedy: 'health.ffmpegMissingDo' },
  no_workers: { what: 'health.noWorkers', remedy: 'health.noWorkersDo' },
  jobs_paused: { what: 'health.jobsPaused', remedy: 'health.jobsPausedDo' },
  encodings_failed: { what: 'health.encodingsFailed', remedy: 'health.encodingsFailedDo', path: '/admin/jobs?tab=encodings' },
  encodings_late: { what: 'health.encodingsLate', remedy: 'health.encodingsLateDo', path: '/admin/jobs?tab=encodings' },
  jobs_failed: { what: 'health.jobsFailed', remedy: 'health.jobsFailedDo', path: '/admin/jobs?tab=failed' },
  inbox_full: { what: 'health.inboxFull', remedy: 'health.inboxFullDo' },
  peers_troubled: { what: 'health.peersTroubled', remedy: 'health.peersTroubledDo', path: '/admin/federation?tab=peers' }
}
