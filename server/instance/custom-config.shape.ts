import { config, isConfigTree, type ConfigTree } from '../core/config.ts'
import { configLeaves, withConfigValue } from '../core/admin-overrides.ts'

const RESOLUTIONS = ['0p', '144p', '240p', '360p', '480p', '720p', '1080p', '1440p', '2160p']

/**
 * The keys that administrators may change on the site, as PeerTube's clients name them. Keys of features that this version does not have
 * are included: the schema refuses other values with the reason.
 */
export const EDITABLE_CONFIG_KEYS: readonly string[] = [
  ...[
    'name',
    'shortDescription',
    'description',
    'terms',
    'codeOfConduct',
    'creationReason',
    'moderationInformation',
    'administrator',
    'maintenanceLifetime',
    'businessModel',
    'hardwareInformation',
    'languages',
    'categories',
    'isNSFW',
    'defaultNSFWPolicy',
    'defaultClientRoute',
    'customizations.javascript',
    'customizations.css'
  ].map(key => `instance.${key}`),
  ...['enabled', 'limit', 'requiresApproval', 'requiresEmailVerification', 'minimumAge'].map(key => `signup.${key}`),
  ...['videoQuota', 'videoQuotaDaily', 'defaultChannelName', 'history.videos.enabled'].map(key => `user.${key}`),
  'videoChannels.maxPerUser',
  'client.videos.miniature.preferAuthorDisplayName',
  'client.menu.login.redirectOnSingleExternalAuth',
  ...[
    'enabled',
    'originalFile.keep',
    'allowAdditionalExtensions',
    'allowAudioFiles',
    'threads',
    'encoder',
    'alwaysTranscodeOriginalResolution',
    'fps.max',
    'webVideos.enabled',
    'hls.enabled',
    'hls.splitAudioAndVideo',
    ...RESOLUTIONS.map(name => `resolutions.${name}`)
  ].map(key => `transcoding.${key}`),
  'trending.videos.algorithms.enabled',
  'trending.videos.algorithms.default',
  'storyboards.enabled',
  'search.remoteUri.users',
  'search.remoteUri.anonymous',
  'followers.instance.enabled',
  'followers.instance.manualApproval',
  'followings.instance.autoFollowBack.enabled',
  'followings.instance.autoFollowIndex.enabled',
  'videoFile.update.enabled',
  'import.videos.http.enabled',
  'import.videos.torrent.enabled',
  'live.enabled'
]

/** The keys that a body with the whole configuration must have: all that may be changed, without those that PeerTube does not know. */
export const REQUIRED_CONFIG_KEYS = EDITABLE_CONFIG_KEYS.filter(key => key !== 'transcoding.encoder')

/** Further keys in the response, which only the configuration files can set. */
export const READ_ONLY_CONFIG_KEYS: readonly string[] = ['theme.default', 'admin.email', 'transcoding.concurrency', 'transcoding.profile']

const disabled = { enabled: false }
/** Values that PeerTube's clients expect for features that this version does not have. */
const ABSENT_FEATURES: ConfigTree = {
  services: { twitter: { username: '' } },
  contactForm: disabled,
  cache: { previews: { size: 0 }, captions: { size: 0 }, torrents: { size: 0 }, storyboards: { size: 0 } },
  transcoding: { remoteRunners: disabled },
  videoStudio: { ...disabled, remoteRunners: disabled },
  videoTranscription: { ...disabled, remoteRunners: disabled },
  live: {
    allowReplay: false,
    latencySetting: disabled,
    maxDuration: -1,
    maxInstanceLives: 0,
    maxUserLives: 0,
    transcoding: {
      ...disabled,
      remoteRunners: disabled,
      threads: 0,
      profile: 'default',
      resolutions: Object.fromEntries(RESOLUTIONS.map(name => [name, false])),
      alwaysTranscodeOriginalResolution: false,
      fps: { max: 0 }
    }
  },
  import: { videos: { concurrency: 0 }, videoChannelSynchronization: { ...disabled, maxPerUser: 0 }, users: disabled },
  export: { users: { ...disabled, exportExpiration: 0, maxUserVideoQuota: 0 } },
  autoBlacklist: { videos: { ofUsers: disabled } },
  followings: { instance: { autoFollowIndex: { indexUrl: '' } } },
  broadcastMessage: { ...disabled, message: '', level: 'info', dismissable: false },
  search: { searchIndex: { ...disabled, url: '', disableLocalSearch: false, isDefaultSearch: false } }
}

/** The switches of features that this version does not have. */
export const MISSING_FEATURE_SWITCHES: readonly string[] = [
  'live.enabled',
  ...configLeaves(ABSENT_FEATURES)
    .map(([path]) => path.join('.'))
    .filter(name => name.endsWith('.enabled'))
]

/** Returns the configuration as PeerTube's clients read and write it. */
export function customConfigShape(): ConfigTree {
  return [...EDITABLE_CONFIG_KEYS, ...READ_ONLY_CONFIG_KEYS].reduce(
    (tree, name) => withConfigValue(tree, name.split('.'), configValueAt(config, configKeyPath(name))),
    ABSENT_FEATURES
  )
}

/** Returns the configuration path of a key of PeerTube's clients: `instance.isNSFW` is `instance.is_nsfw`. */
export function configKeyPath(name: string): string[] {
  return name
    .replace('NSFW', 'Nsfw')
    .replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    .split('.')
}

/** Returns the value at a path; undefined if there is none. */
export function configValueAt(tree: ConfigTree, path: string[]): unknown {
  return path.reduce<unknown>((below, key) => (isConfigTree(below) && Object.hasOwn(below, key) ? below[key] : undefined), tree)
}
