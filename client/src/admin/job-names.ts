import type { TextKey } from '../i18n/catalogue.ts'

/** The names of the job types in the pages. */
export const JOB_NAMES: Record<string, TextKey> = {
  'activitypub-follow': 'jobs.follow',
  'count-views': 'jobs.countViews',
  'crawl-outbox': 'jobs.crawl',
  'fetch-around-due': 'jobs.around',
  'fetch-around-video': 'jobs.around',
  'publish-scheduled': 'jobs.publish',
  'read-comments': 'jobs.readComments',
  'read-comments-due': 'jobs.readComments',
  'read-commenters': 'jobs.readComments',
  'read-replies': 'jobs.readComments',
  'read-playlist': 'jobs.readPlaylists',
  'read-playlists': 'jobs.readPlaylists',
  'read-playlists-of': 'jobs.readPlaylists',
  'reconcile-transcoding': 'jobs.reconcile',
  'refresh-actors': 'jobs.refreshActors',
  'refresh-objects': 'jobs.refreshObjects',
  'refresh-videos': 'jobs.refreshVideos',
  repair: 'jobs.repair',
  'send-due-updates': 'jobs.sendUpdates',
  'sweep-incoming': 'jobs.sweepBooks',
  'sweep-orphans': 'jobs.sweepFiles',
  'sweep-outbox': 'jobs.sweepBooks',
  'sweep-redundancies': 'jobs.sweepBooks',
  'sweep-tokens': 'jobs.sweepSessions',
  'sweep-uploads': 'jobs.sweepUploads',
  'sweep-views': 'jobs.sweepBooks',
  'tell-counters': 'jobs.counters',
  'video-transcoding': 'jobs.transcode'
}
