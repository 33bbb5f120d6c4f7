import { z } from 'zod'
import { H264_ENCODERS } from '../../shared/encoders.ts'

const UNITS: Record<string, number> = {
  ms: 1,
  millisecond: 1,
  second: 1e3,
  minute: 6e4,
  hour: 36e5,
  day: 864e5,
  week: 6048e5,
  month: 2592e6,
  year: 31536e6
}
const SIZES: Record<string, number> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 }

/** A duration in milliseconds, written as a number or as '5 minutes'. */
const Duration = z.union([z.number(), z.string()], "a duration such as 5000 or '5 minutes'").transform((value, context) => {
  const ms = typeof value === 'number' ? value : quantity(value, /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i, UNITS)
  if (Number.isFinite(ms) && ms! >= 0) return ms!
  return fail(context, "a duration such as 5000 or '5 minutes'")
})

/** A size in bytes, written as a number or as '8MB'; -1 is no limit. */
const Size = z.union([z.number(), z.string()], "a size such as 1024 or '8MB'").transform((value, context) => {
  const bytes = typeof value === 'number' ? value : quantity(value, /^(\d+(?:\.\d+)?)\s*([kmgt]?b)$/i, SIZES)
  if (Number.isSafeInteger(bytes) && bytes! >= -1) return bytes!
  return fail(context, "a size such as 1024 or '8MB'")
})

const Port = z.int('a port number').min(0).max(65535)
const Limit = z.int('a whole number, -1 for no limit').min(-1)
const Count = z.int('a whole number').min(0)
const Rate = z.strictObject({ window: Duration, max: Count })
/** A feature that a later version brings: the key is known so that a PeerTube file carries over, but cannot be switched on. */
const NotYet = z.literal(false, 'false: this version does not have that feature')
const Text = z.string('a text')

/** The whole configuration, strict: an unknown or ill-typed key is refused. Its comments stand in config/default.yaml. */
export const ConfigSchema = z.strictObject({
  listen: z.strictObject({ hostname: Text, port: Port }),
  webserver: z.strictObject({ https: z.boolean(), hostname: z.string().min(1), port: Port }),
  trust_proxy: z.array(Text),
  database: z.strictObject({
    hostname: Text,
    port: Port,
    name: Text,
    username: Text,
    password: Text,
    ssl: z.boolean(),
    pool: z.strictObject({ max: z.int().min(1) }),
    connect_timeout: Duration,
    statement_timeout: z.strictObject({ requests: Duration, jobs: Duration }),
    slow_statement: z.strictObject({ requests: Duration, jobs: Duration })
  }),
  redis: z.strictObject({
    hostname: Text,
    port: Port,
    socket: Text,
    auth: Text,
    db: Count,
    prefix: z.string().min(1),
    command_timeout: Duration
  }),
  storage: z.strictObject({
    root: Text,
    tmp: Text,
    uploads: Text,
    streaming_playlists: Text,
    original_video_files: Text,
    thumbnails: Text,
    previews: Text,
    avatars: Text,
    banners: Text,
    storyboards: Text,
    captions: Text,
    cache: Text
  }),
  log: z.strictObject({ level: z.enum(['error', 'warn', 'info', 'debug']), anonymize_ip: z.boolean() }),
  rates_limit: z.strictObject({
    api: Rate,
    login: Rate,
    signup: Rate,
    upload: Rate,
    client: Rate,
    files: Rate,
    video_password: Rate,
    activity_pub: Rate
  }),
  http: z.strictObject({
    max_body: Size,
    max_files: Count,
    max_fields: Count,
    max_nesting: Count,
    body_timeout: Duration,
    request_timeout: Duration,
    headers_timeout: Duration,
    keep_alive_timeout: Duration,
    shutdown_timeout: Duration,
    used_from: z.int().min(1),
    hand_over: z.union([z.literal(''), z.string().regex(/^\/[\w/-]+\/$/, 'a path like /stored/')])
  }),
  pagination: z.strictObject({ count: Count, max_count: Count, max_start: Count }),
  cache: z.strictObject({
    answers: z.strictObject({ enabled: z.boolean(), max_size: Size, max_age: Duration }),
    static: z.strictObject({ images: Duration, segments: Duration, private: Duration }),
    remote_files: z.strictObject({ max_size: Size, max_caption_size: Size, retry_after: Duration })
  }),
  oauth2: z.strictObject({
    token_lifetime: z.strictObject({ access_token: Duration, refresh_token: Duration }),
    activity_interval: Duration,
    sweep_interval: Duration
  }),
  security: z.strictObject({
    password_cost: z.int().min(4).max(16),
    actor_key_bits: z.int().min(1024).max(8192),
    csp: z.strictObject({ enabled: z.boolean() })
  }),
  signup: z.strictObject({
    enabled: z.boolean(),
    limit: Limit,
    minimum_age: Count,
    requires_approval: NotYet,
    requires_email_verification: NotYet
  }),
  admin: z.strictObject({ email: z.email('an e-mail address') }),
  user: z.strictObject({
    video_quota: Size,
    video_quota_daily: Size,
    default_channel_name: Text,
    password_constraints: z.strictObject({ min_length: z.int().min(1).max(100) }),
    history: z.strictObject({ videos: z.strictObject({ enabled: z.boolean() }) })
  }),
  video_channels: z.strictObject({ max_per_user: Count }),
  playlists: z.strictObject({ max_per_user: Count, max_elements: Count }),
  webadmin: z.strictObject({
    configuration: z.strictObject({ edition: z.strictObject({ allowed: z.boolean() }), check_interval: Duration }),
    health: z.strictObject({
      timeout: Duration,
      low_disk: z.number().min(0).max(1),
      low_memory: z.number().min(0).max(1),
      many_waiting: Count,
      many_slow: z.int().min(1),
      late_after: Duration,
      lately: Duration
    })
  }),
  client: z.strictObject({
    videos: z.strictObject({
      miniature: z.strictObject({ display_author_avatar: z.boolean(), prefer_author_display_name: z.boolean() }),
      resumable_upload: z.strictObject({ max_chunk_size: Size })
    }),
    menu: z.strictObject({ login: z.strictObject({ redirect_on_single_external_auth: z.boolean() }) })
  }),
  defaults: z.strictObject({
    publish: z.strictObject({
      download_enabled: z.boolean(),
      comments_policy: z.union([z.literal(1), z.literal(2), z.literal(3)], '1, 2 or 3'),
      privacy: z.int().min(1).max(4),
      licence: z.int().min(1).max(9).nullable()
    }),
    p2p: z.strictObject({ webapp: z.strictObject({ enabled: z.boolean() }), embed: z.strictObject({ enabled: z.boolean() }) })
  }),
  instance: z.strictObject({
    name: z.string('a text').regex(/\S/, 'a name'),
    short_description: Text,
    description: Text,
    terms: Text,
    code_of_conduct: Text,
    securitytxt: Text,
    hardware_information: Text,
    creation_reason: Text,
    moderation_information: Text,
    administrator: Text,
    maintenance_lifetime: Text,
    business_model: Text,
    languages: z.array(Text),
    categories: z.array(z.int()),
    is_nsfw: z.boolean(),
    default_nsfw_policy: z.enum(['display', 'blur', 'do_not_list']),
    default_client_route: Text,
    customizations: z.strictObject({ javascript: Text, css: Text })
  }),
  theme: z.strictObject({ default: Text }),
  trending: z.strictObject({
    videos: z.strictObject({
      interval_days: z.int().min(1),
      algorithms: z.strictObject({ enabled: z.array(Text), default: Text })
    })
  }),
  views: z.strictObject({
    videos: z.strictObject({
      local_buffer_update_interval: Duration,
      view_expiration: Duration,
      count_view_after: Duration,
      trust_viewer_session_id: z.boolean(),
      max_sessions_per_address: Count,
      viewer_expiration: Duration,
      max_sections: z.int().min(1),
      watching_interval: z.strictObject({ anonymous: Duration, users: Duration })
    })
  }),
  tracker: z.strictObject({ enabled: NotYet }),
  upload: z.strictObject({
    max_size: Size,
    keep_free: Size,
    max_duration: z.number().min(-1),
    max_pixels: Count,
    max_fps: Count,
    max_streams: Count,
    probe_timeout: Duration,
    expiration: Duration,
    sweep_interval: Duration,
    idle_timeout: Duration,
    max_per_user: Count,
    image_max_size: Size,
    image_max_pixels: Count,
    avatar_max_size: Size,
    extensions: z.array(z.string().regex(/^\.[a-z0-9]+$/, 'an extension such as .mp4'))
  }),
  thumbnails: z.strictObject({
    width: Count,
    height: Count,
    preview_width: Count,
    preview_height: Count,
    avatar_sizes: z.array(z.int().min(1)).min(1),
    banner_sizes: z.array(z.tuple([z.int().min(1), z.int().min(1)])).min(1)
  }),
  storyboards: z.strictObject({ enabled: z.boolean() }),
  video_file: z.strictObject({ update: z.strictObject({ enabled: NotYet }), token_lifetime: Duration }),
  transcoding: z.strictObject({
    enabled: z.boolean(),
    original_file: z.strictObject({ keep: z.boolean() }),
    allow_additional_extensions: z.boolean(),
    allow_audio_files: z.boolean(),
    threads: Count,
    encoder: z.enum(['auto', ...H264_ENCODERS]),
    encoder_devices: z.array(z.string()),
    encoder_timeout: Duration,
    encoders_interval: Duration,
    nice: z.int().min(0).max(19),
    concurrency: z.int().min(1),
    max_begun: z.int().min(1),
    spare_memory: Size,
    fair_window: Duration,
    attempts: z.int().min(1),
    retry_delay: Duration,
    full_disk_delay: Duration,
    stall_timeout: Duration,
    reconcile_interval: Duration,
    progress_interval: Duration,
    progress_lifetime: Duration,
    watch_interval: Duration,
    profile: Text,
    preset: z.enum(['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium', 'slow', 'slower', 'veryslow']),
    crf: z.number().min(0).max(51),
    audio_bitrate: z.int().min(8000),
    max_audio_tracks: z.int().min(1).max(32),
    max_keyframe_interval: z.number().positive(),
    replace_heavy_copies: z.boolean(),
    chunks: z.strictObject({ enabled: z.boolean(), min_duration: Duration, length: Duration, lease: Duration, check_interval: Duration }),
    resolutions: z.strictObject({
      '0p': z.boolean(),
      '144p': z.boolean(),
      '240p': z.boolean(),
      '360p': z.boolean(),
      '480p': z.boolean(),
      '720p': z.boolean(),
      '1080p': z.boolean(),
      '1440p': z.boolean(),
      '2160p': z.boolean()
    }),
    always_transcode_original_resolution: z.boolean(),
    fps: z.strictObject({ max: z.number().positive() }),
    web_videos: z.strictObject({ enabled: z.boolean() }),
    hls: z.strictObject({
      enabled: z.literal(true, 'true: videos are served as HLS'),
      split_audio_and_video: z.boolean(),
      segment_duration: z.number().min(1).max(20)
    })
  }),
  schedule: z.strictObject({ check_interval: Duration }),
  import: z.strictObject({
    videos: z.strictObject({ http: z.strictObject({ enabled: NotYet }), torrent: z.strictObject({ enabled: NotYet }) })
  }),
  live: z.strictObject({ enabled: NotYet }),
  jobs: z.strictObject({
    keep_completed: Count,
    keep_failed: Count,
    lock_duration: Duration,
    nice: z.int().min(0).max(19),
    retry_start: Duration,
    timers_interval: Duration,
    orphan_interval: Duration,
    orphan_age: Duration
  }),
  followers: z.strictObject({
    instance: z.strictObject({ enabled: z.boolean(), manual_approval: z.boolean() }),
    channels: z.strictObject({ enabled: z.boolean() })
  }),
  followings: z.strictObject({
    instance: z.strictObject({
      auto_follow_back: z.strictObject({ enabled: z.boolean() }),
      auto_follow_index: z.strictObject({ enabled: NotYet })
    })
  }),
  remote_redundancy: z.strictObject({
    videos: z.strictObject({ accept_from: z.enum(['nobody', 'anybody', 'followings']), sweep_interval: Duration })
  }),
  abuses: z.strictObject({ max_messages: Count }),
  search: z.strictObject({ remote_uri: z.strictObject({ users: z.boolean(), anonymous: z.boolean() }) }),
  federation: z.strictObject({
    enabled: z.boolean(),
    prevent_ssrf: z.boolean(),
    sign_federated_fetches: z.boolean(),
    min_key_bits: z.int().min(1024).max(8192),
    clock_skew: Duration,
    videos: z.strictObject({
      federate_unlisted: z.boolean(),
      media_hosts: z.array(z.string()),
      keep_gone: Duration,
      max_views_per_host: Count,
      max_viewers_per_host: Count
    }),
    abuses: z.strictObject({ max_pending_per_host: Count }),
    fetch: z.strictObject({ per_host: Rate }),
    inbox: z.strictObject({ per_host: Rate, max_waiting: Count, concurrency: z.int().min(1), keep: Duration }),
    outbox: z.strictObject({ concurrency: z.int().min(1), pace: Count, keep: Duration }),
    actors: z.strictObject({ refresh_after: Duration }),
    crawl: z.strictObject({ interval: Duration, concurrency: z.int().min(1) })
  })
})

/** The parsed configuration: durations in milliseconds, sizes in bytes. */
export type Config = z.output<typeof ConfigSchema>

function quantity(text: string, pattern: RegExp, units: Record<string, number>): number | undefined {
  const [, number, unit] = pattern.exec(text.trim()) ?? []
  const factor = unit === undefined ? undefined : (units[unit.toLowerCase()] ?? units[unit.toLowerCase().replace(/s$/, '')])
  return factor === undefined ? undefined : Math.round(Number(number) * factor)
}

function fail(context: z.RefinementCtx, expected: string): never {
  context.addIssue({ code: 'custom', message: expected })
  return z.NEVER
}
