/** Where the answers differ from the recorded ones on purpose, or by mistake until somebody mends it: the recording and the reason. */
export const DIFFERENCES: Record<string, string> = {
  '0025-put-custom':
    'PUT /config/custom refuses values other than its own for keys of missing features, and PeerTube’s client sends every key',
  '0026-put-custom-invalid': 'As 0025: the recorded server took a name of null with all other keys',
  '0656-put-custom-remote-runners': 'As 0025',
  '0030-get-about-after-edit': 'As 0025: the languages and categories were not set',
  '0033-get-manifest-webmanifest': 'Served with the media type that is registered for manifests',
  '0039-post-create-several-invalid-fields': 'The password is not looked at while other fields are invalid',
  '0208-get-my-comments-without-sort': 'The recorded server failed with 500 where ours sorts by the default',
  '0302-get-list-sort-comments': 'Lists sort by comments too, as later versions do',
  '0346-get-file-metadata': 'Renditions are fragmented, and the number of frames of such a file is N/A, in the recordings too',
  '0373-post-run-transcoding-again': 'Answers 400 with the recorded code instead of 409',
  '0423-post-create-invalid': 'A number in a form is told back as the text it was sent as',
  '0469-get-videos-uuids': 'Short UUIDs are refused among the UUIDs of a search',
  '0516-get-list-as-root': 'The channel of a reported video lacks banners and description',
  '0518-get-list-predefined': 'The channel of a reported video lacks banners, description and hostRedundancyAllowed',
  '0520-get-my-abuses': 'As 0516',
  '0532-get-list-after': 'As 0518',
  '0734-get-list-type-activitypub-http-unicast': 'Deliveries are rows, not jobs, and jobs have names of their own',
  '0735-get-list-type-activitypub-http-broadcast-parallel': 'As 0734',
  '0737-get-list-type-generate-video-storyboard': 'As 0734',
  '0739-get-list-type-federate-video': 'As 0734',
  '0911-get-embed': 'The page of an embedded video lacks og:platform, description, name, image and the link to oEmbed',
  '0922-get-oembed-xml-format': 'The answer does not tell back the format that was asked for',
  '0923-get-oembed-foreign': 'Answers 404, as the specification of oEmbed has it, instead of 400',
  '0925-get-oembed-private': 'Answers 401, as the specification of oEmbed has it, instead of 403',
  '0926-get-oembed-channel': 'Answers 404, as the specification of oEmbed has it, instead of 400'
}

/** Fields that no answer has yet, or has otherwise, as `findShapeDifferences` says it: which, and why. */
export const FIELDS: { difference: RegExp; reason: string }[] = [
  { difference: /^docs: missing$/, reason: 'An address of PeerTube’s documentation; `type` names ours' },
  { difference: /^serverCommit: missing$/, reason: 'Present where a server runs from a working copy' },
  { difference: /files\[\]\.(magnetUri|torrentUrl|torrentDownloadUrl): null instead/, reason: 'Torrents' },
  { difference: /^trackerUrls: an empty list/, reason: 'Torrents' },
  { difference: /^videoCaption\.file\.extensions: an empty list/, reason: 'Captions that are uploaded' },
  { difference: /^userHistory: missing$/, reason: 'Watch history' },
  { difference: /^specialPlaylists: an empty list/, reason: 'Watch later' },
  { difference: /^data\[\]\.automaticTags: missing$/, reason: 'Automatic tags' },
  { difference: /^data\[\]\.videoSource: missing$/, reason: 'Sources in lists of videos' },
  {
    difference: /^(instance|data\[\]\.byAccount)\.(avatars|banners): an empty list/,
    reason: 'Pictures of the instance'
  }
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
  'pictures of the instance': ['0027-post-instance-avatar-pick', '0028-post-instance-banner-pick'],
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
  'comments of all videos': [
    '0206-get-my-videos-comments-as-user',
    '0209-get-my-comments-held-for-review',
    '0210-get-admin-list-as-anon',
    '0211-get-admin-list-as-user',
    '0212-get-admin-list-as-root',
    '0213-get-admin-list-search'
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
  'ratings of an account': ['0390-get-ratings-as-anon', '0391-get-ratings-as-user', '0392-get-ratings-as-root'],
  'synchronization of channels': [
    '0394-get-channel-syncs-as-anon',
    '0395-get-channel-syncs-as-user',
    '0396-get-channel-syncs-as-root',
    '0411-post-import-videos',
    '0412-post-sync-create',
    '0413-get-syncs-of-account',
    '0414-delete-sync'
  ],
  'watch later': ['0456-get-of-account-watch-later', '0460-delete-watch-later'],
  'search of playlists': ['0482-get-playlists', '0483-get-playlists-by-uri', '0484-get-playlists-uuids'],
  'requested registrations': ['0692-post-token-waiting-approval', '0699-post-token-rejected'],
  'commands of the debug page': ['0717-post-debug-run-command'],
  'logs over the API': [
    '0719-get-logs-as-anon',
    '0720-get-logs-as-user',
    '0721-get-logs-as-root',
    '0722-get-logs-missing-date',
    '0723-get-audit-logs',
    '0724-post-client-log',
    '0725-post-client-log-invalid'
  ],
  'contact form': ['0726-post-contact'],
  'embedded playlists': ['0912-get-embed-playlist', '0921-get-oembed-playlist']
}
