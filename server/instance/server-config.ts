import { config } from '../core/config.ts'
import { refreshAdminOverrides } from '../core/admin-overrides.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { isSignupOpen } from '../accounts/registration.ts'
import { findAccount } from '../actors/accounts.query.ts'
import { ACTOR_IMAGE_EXTENSIONS } from '../actors/actor-images.ts'
import { findInstanceBanners } from './instance.query.ts'
import { acceptedUploadExtensions } from './upload-extensions.ts'
import { PEERTUBE_API_VERSION, SOFTWARE_VERSION } from './version.ts'

/**
 * Returns the settings for clients, with the keys of PeerTube 6.3 and the newer ones of 8.x.
 * `serverVersion` is the PeerTube version whose API is implemented: clients compare it as a semantic version to learn what they
 * may call, and some refuse older servers. The version of this software is `bobine.version`.
 * Features that this version does not have are reported as `enabled: false`.
 */
export async function getServerConfig() {
  await refreshAdminOverrides()
  const { client, instance, defaults } = config
  const [allowed, actor, banners] = await Promise.all([isSignupOpen(), findAccount(INSTANCE_ACTOR_NAME), findInstanceBanners()])
  return {
    bobine: { version: SOFTWARE_VERSION },
    serverVersion: PEERTUBE_API_VERSION,
    client: {
      newFeaturesInfo: false,
      header: { hideInstanceName: false },
      videos: {
        miniature: {
          displayAuthorAvatar: client.videos.miniature.display_author_avatar,
          preferAuthorDisplayName: client.videos.miniature.prefer_author_display_name
        },
        resumableUpload: { maxChunkSize: Math.max(0, client.videos.resumable_upload.max_chunk_size) }
      },
      browseVideos: { defaultSort: '-publishedAt', defaultScope: 'local' },
      menu: { login: { redirectOnSingleExternalAuth: client.menu.login.redirect_on_single_external_auth } },
      openInApp: {
        android: { intent: { enabled: false, host: '', scheme: '', fallbackUrl: '' } },
        ios: { enabled: false, host: '', scheme: '', fallbackUrl: '' }
      }
    },
    defaults: {
      publish: {
        downloadEnabled: defaults.publish.download_enabled,
        commentsPolicy: defaults.publish.comments_policy,
        commentsEnabled: defaults.publish.comments_policy !== 2,
        privacy: defaults.publish.privacy,
        licence: defaults.publish.licence
      },
      p2p: { webapp: { enabled: defaults.p2p.webapp.enabled }, embed: { enabled: defaults.p2p.embed.enabled } },
      player: { theme: 'lucide' as const, autoPlay: true }
    },
    webadmin: { configuration: { edition: { allowed: config.webadmin.configuration.edition.allowed } } },
    instance: {
      name: instance.name,
      shortDescription: instance.short_description,
      isNSFW: instance.is_nsfw,
      defaultNSFWPolicy: instance.default_nsfw_policy,
      serverCountry: '',
      support: { text: '' },
      social: { externalLink: '', mastodonLink: '', blueskyLink: '', xLink: '' },
      defaultClientRoute: instance.default_client_route,
      customizations: { ...instance.customizations },
      avatars: actor.avatars,
      banners,
      defaultLanguage: 'en',
      logo: []
    },
    search: {
      remoteUri: { users: false, anonymous: false },
      searchIndex: { enabled: false, url: '', disableLocalSearch: false, isDefaultSearch: false }
    },
    plugin: { registered: [], registeredExternalAuths: [], registeredIdAndPassAuths: [] },
    theme: { registered: [], builtIn: [], default: config.theme.default, customization: NO_COLOURS },
    email: { enabled: false },
    contactForm: { enabled: false },
    transcoding: {
      hls: { enabled: config.transcoding.enabled && config.transcoding.hls.enabled },
      web_videos: { enabled: config.transcoding.web_videos.enabled },
      enabledResolutions: enabledResolutions(),
      profile: config.transcoding.profile,
      availableProfiles: [config.transcoding.profile],
      remoteRunners: { enabled: false }
    },
    live: {
      enabled: config.live.enabled,
      allowReplay: false,
      latencySetting: { enabled: false },
      maxDuration: -1,
      maxInstanceLives: 0,
      maxUserLives: 0,
      transcoding: {
        enabled: false,
        remoteRunners: { enabled: false },
        enabledResolutions: [],
        profile: 'default',
        availableProfiles: ['default']
      },
      rtmp: { port: 0 }
    },
    videoStudio: { enabled: false, remoteRunners: { enabled: false } },
    videoFile: { update: { enabled: config.video_file.update.enabled } },
    videoTranscription: { enabled: false, remoteRunners: { enabled: false } },
    import: {
      videos: { http: { enabled: config.import.videos.http.enabled }, torrent: { enabled: config.import.videos.torrent.enabled } },
      videoChannelSynchronization: { enabled: false },
      users: { enabled: false }
    },
    export: { users: { enabled: false, exportExpiration: 0, maxUserVideoQuota: 0 } },
    autoBlacklist: { videos: { ofUsers: { enabled: false } } },
    avatar: { file: imageFileLimits(config.upload.avatar_max_size) },
    banner: { file: imageFileLimits(config.upload.avatar_max_size) },
    logo: { file: imageFileLimits(0) },
    video: { image: imageFileLimits(config.upload.image_max_size), file: { extensions: acceptedUploadExtensions() } },
    videoCaption: { file: { size: { max: 0 }, extensions: [] } },
    user: { videoQuota: config.user.video_quota, videoQuotaDaily: config.user.video_quota_daily },
    videoChannels: { maxPerUser: config.video_channels.max_per_user },
    trending: { videos: { intervalDays: config.trending.videos.interval_days, algorithms: { ...config.trending.videos.algorithms } } },
    tracker: { enabled: config.tracker.enabled },
    followings: { instance: { autoFollowIndex: { indexUrl: '' } } },
    federation: { enabled: config.federation.enabled },
    broadcastMessage: { enabled: false, message: '', level: 'info' as const, dismissable: false },
    homepage: { enabled: false },
    openTelemetry: { metrics: { enabled: false, playbackStatsInterval: 0 } },
    views: { videos: { remote: { maxAge: -1 }, local: { maxAge: -1 }, watchingInterval: { ...config.views.videos.watching_interval } } },
    storyboards: { enabled: config.storyboards.enabled, remoteRunners: { enabled: false } },
    webrtc: { stunServers: [] },
    nsfwFlagsSettings: { enabled: false },
    fieldsConstraints: { users: { password: { minLength: config.user.password_constraints.min_length, maxLength: 255 } } },
    signup: {
      allowed,
      allowedForCurrentIP: allowed,
      minimumAge: config.signup.minimum_age,
      requiresApproval: config.signup.requires_approval,
      requiresEmailVerification: config.signup.requires_email_verification
    }
  }
}

/** Returns the content of the about page. */
export async function getAbout() {
  await refreshAdminOverrides()
  const { instance } = config
  const [actor, banners] = await Promise.all([findAccount(INSTANCE_ACTOR_NAME), findInstanceBanners()])
  return {
    instance: {
      name: instance.name,
      shortDescription: instance.short_description,
      description: instance.description,
      terms: instance.terms,
      codeOfConduct: instance.code_of_conduct,
      hardwareInformation: instance.hardware_information,
      creationReason: instance.creation_reason,
      moderationInformation: instance.moderation_information,
      administrator: instance.administrator,
      maintenanceLifetime: instance.maintenance_lifetime,
      businessModel: instance.business_model,
      languages: instance.languages,
      categories: instance.categories,
      avatars: actor.avatars,
      banners
    }
  }
}

const NO_COLOURS = {
  primaryColor: '',
  onPrimaryColor: '',
  foregroundColor: '',
  backgroundColor: '',
  backgroundSecondaryColor: '',
  menuForegroundColor: '',
  menuBackgroundColor: '',
  menuBorderRadius: '',
  headerForegroundColor: '',
  headerBackgroundColor: '',
  inputBorderRadius: ''
}

function imageFileLimits(max: number) {
  return { size: { max }, extensions: ACTOR_IMAGE_EXTENSIONS }
}

function enabledResolutions(): number[] {
  if (!config.transcoding.enabled) return []
  return Object.entries(config.transcoding.resolutions)
    .filter(([, enabled]) => enabled)
    .map(([name]) => Number.parseInt(name, 10))
}
