/** Where the answers differ from the recorded ones on purpose, or by mistake until somebody mends it: the recording and the reason. */
export const DIFFERENCES: Record<string, string> = {
  '0025-put-custom':
    'PUT /config/custom refuses to switch on what is missing: the contact form, live videos, the studio, imports and exports',
  '0026-put-custom-invalid': 'As 0025: the recorded server took a name of null with all other keys',
  '0656-put-custom-remote-runners': 'As 0025',
  '0033-get-manifest-webmanifest': 'Served with the media type that is registered for manifests',
  '0208-get-my-comments-without-sort': 'The recorded server failed with 500 where ours sorts by the default',
  '0302-get-list-sort-comments': 'Lists sort by comments too, as later versions do',
  '0346-get-file-metadata': 'Renditions are fragmented, and the number of frames of such a file is N/A, in the recordings too',
  '0734-get-list-type-activitypub-http-unicast': 'Deliveries are rows that are deleted when they are done, not jobs that are kept',
  '0735-get-list-type-activitypub-http-broadcast-parallel': 'As 0734',
  '0737-get-list-type-generate-video-storyboard': 'Storyboards are made within the encoding, not by a job of their own',
  '0738-get-list-type-activitypub-follow': 'As 0734',
  '0739-get-list-type-federate-video': 'As 0734'
}

/** Those of them that are as recorded where a delivery still waits at the moment it is asked for. */
export const TIMED_DIFFERENCES = Object.entries(DIFFERENCES).flatMap(([name, reason]) =>
  name.startsWith('0734-') || reason === 'As 0734' ? [name] : []
)

/** Fields that no answer has yet, or has otherwise, as `findShapeDifferences` says it: which, and why. */
export const FIELDS: { difference: RegExp; reason: string }[] = [
  { difference: /^serverCommit: missing$/, reason: 'Present where a server runs from a working copy' },
  { difference: /^trackerUrls: an empty list/, reason: 'Trackers' },
  { difference: /^videoCaption\.file\.extensions: an empty list/, reason: 'Captions that are uploaded' },
  { difference: /^userHistory: missing$/, reason: 'Watch history' },
  { difference: /^data\[\]\.automaticTags: missing$/, reason: 'Automatic tags' },
  { difference: /^data\[\]\.videoSource: missing$/, reason: 'Sources in lists of videos' }
]

/** Lists of what is going on right then, which may be empty. */
export const DEPENDS_ON_THE_MOMENT = [
  '0157-get-active',
  '0158-get-waiting',
  '0730-get-list-failed',
  '0731-get-list-delayed',
  '0732-get-list-paused'
]

/** Recordings of features that are still missing, by feature; they are not counted. */
export const FEATURES: Record<string, string[]> = {
  'feed tokens': ['0016-get-scoped-tokens', '0017-post-scoped-tokens-renew'],
  homepage: ['0031-put-homepage', '0032-get-homepage'],
  'password reset': ['0070-post-ask-reset-password'],
  'two-factor authentication': [
    '0071-post-two-factor-request',
    '0072-post-two-factor-confirm-wrong-otp',
    '0073-post-two-factor-confirm',
    '0074-post-token-missing-otp',
    '0075-post-token-wrong-otp',
    '0077-post-two-factor-disable'
  ],
  'statistics of a video': [
    '0347-get-stats-overall',
    '0348-get-stats-retention',
    '0349-get-stats-timeseries-views',
    '0350-get-stats-timeseries-viewers',
    '0351-get-stats-timeseries-aggregatewatchtime',
    '0352-get-stats-timeseries-nope',
    '0353-get-stats-overall-anonymous',
    '0354-get-stats-overall-with-dates'
  ],
  'change of ownership': [
    '0355-post-give-ownership',
    '0356-get-ownership-list',
    '0358-post-ownership-refuse',
    '0359-post-ownership-refuse-again',
    '0360-post-give-ownership-2',
    '0362-post-ownership-accept'
  ],
  studio: ['0363-post-studio-edit', '0364-post-studio-edit-no-tasks'],
  'synchronization of channels': [
    '0394-get-channel-syncs-as-anon',
    '0395-get-channel-syncs-as-user',
    '0396-get-channel-syncs-as-root',
    '0411-post-import-videos',
    '0412-post-sync-create',
    '0413-get-syncs-of-account',
    '0414-delete-sync'
  ],
  'search of playlists': ['0482-get-playlists', '0483-get-playlists-by-uri', '0484-get-playlists-uuids'],
  'requested registrations': ['0692-post-token-waiting-approval', '0699-post-token-rejected'],
  'logs over the API': [
    '0719-get-logs-as-anon',
    '0720-get-logs-as-user',
    '0721-get-logs-as-root',
    '0722-get-logs-missing-date',
    '0723-get-audit-logs'
  ],
  'contact form': ['0726-post-contact']
}
