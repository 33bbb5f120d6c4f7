import { config, isConfigTree, type ConfigTree } from '../core/config.ts'
import { withConfigValue } from '../core/admin-overrides.ts'

const RUNGS = ['0p', '144p', '240p', '360p', '480p', '720p', '1080p', '1440p', '2160p']

/**
 * The keys that administrators may change on the site, as PeerTube's clients name them. Those of features that this version does not
 * have are among them: the schema says why they stay as they are.
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
    ...RUNGS.map(name => `resolutions.${name}`)
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

/** Keys that clients see beside them and that only the configuration's files set. */
const OF_FILES = ['theme.default', 'admin.email', 'transcoding.concurrency', 'transcoding.profile']

const off = { enabled: false }
/** What PeerTube's clients expect of features that this version does not have. */
const ABSENT: ConfigTree = {
  services: { twitter: { username: '' } },
  contactForm: off,
  cache: { previews: { size: 0 }, captions: { size: 0 }, torrents: { size: 0 }, storyboards: { size: 0 } },
  transcoding: { remoteRunners: off },
  videoStudio: { ...off, remoteRunners: off },
  videoTranscription: { ...off, remoteRunners: off },
  live: {
    allowReplay: false,
    latencySetting: off,
    maxDuration: -1,
    maxInstanceLives: 0,
    maxUserLives: 0,
    transcoding: {
      ...off,
      remoteRunners: off,
      threads: 0,
      profile: 'default',
      resolutions: Object.fromEntries(RUNGS.map(name => [name, false])),
      alwaysTranscodeOriginalResolution: false,
      fps: { max: 0 }
    }
  },
  import: { videos: { concurrency: 0 }, videoChannelSynchronization: { ...off, maxPerUser: 0 }, users: off },
  export: { users: { ...off, exportExpiration: 0, maxUserVideoQuota: 0 } },
  autoBlacklist: { videos: { ofUsers: off } },
  followings: { instance: { autoFollowIndex: { indexUrl: '' } } },
  broadcastMessage: { ...off, message: '', level: 'info', dismissable: false },
  search: { searchIndex: { ...off, url: '', disableLocalSearch: false, isDefaultSearch: false } }
}

/** The configuration as PeerTube's clients read and write it. */
export function customConfigShape(): ConfigTree {
  return [...EDITABLE_CONFIG_KEYS, ...OF_FILES].reduce(
    (tree, name) => withConfigValue(tree, name.split('.'), configValueAt(config, configKeyPath(name))),
    ABSENT
  )
}

/** Where a key of PeerTube's clients stands in the configuration: `instance.isNSFW` is `instance.is_nsfw`. */
export function configKeyPath(name: string): string[] {
  return name
    .replace('NSFW', 'Nsfw')
    .replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    .split('.')
}

/** What stands at a path. */
export function configValueAt(tree: ConfigTree, path: string[]): unknown {
  return path.reduce<unknown>((below, key) => (isConfigTree(below) && Object.hasOwn(below, key) ? below[key] : undefined), tree)
}
