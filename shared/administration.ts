import { z } from 'zod'
import { defineContract } from './contract.ts'
import { RefusedRequests } from './rate-limits.ts'

const Count = z.int().min(0)
const Bytes = z.number().min(0)

/** A problem of the instance; `bad` means that something does not work, `count` and `bytes` quantify it. */
export const HealthFault = z.object({
  code: z.enum([
    'disk_full',
    'disk_low',
    'memory_low',
    'redis_gone',
    'ffmpeg_missing',
    'no_workers',
    'jobs_paused',
    'encodings_failed',
    'encodings_late',
    'jobs_failed',
    'inbox_full',
    'peers_troubled',
    'videos_refused',
    'activities_unsendable',
    'slow_statements',
    'proxy_rewrites_host'
  ]),
  bad: z.boolean().describe('false: it still works'),
  count: Count.optional(),
  bytes: Bytes.optional(),
  hosts: z.array(z.string()).optional()
})
export type HealthFault = z.output<typeof HealthFault>

/** The state of the instance for administrators; sizes in bytes, durations in seconds. */
export const Health = z.object({
  version: z.string(),
  node: z.string(),
  ffmpeg: z.string().nullable(),
  uptime: z.number(),
  now: z.iso.datetime(),
  faults: z.array(HealthFault),
  disk: z.object({ total: Bytes, free: Bytes, keepFree: Bytes }).nullable(),
  stored: z.object({ renditions: Bytes, originals: Bytes, uploads: Bytes }),
  memory: z.object({ total: Bytes, available: Bytes, process: Bytes }),
  load: z.object({ average: z.number().describe('of the last minute'), processors: Count }),
  postgres: z.object({ version: z.string(), bytes: Bytes }),
  redis: z.object({ version: z.string(), bytes: Bytes }).nullable(),
  slowStatements: z
    .array(z.object({ statement: z.string(), count: Count, longest: z.number().describe('in ms') }))
    .nullable()
    .describe('SQL that took longer than database.slow_statement lately, without values, the slowest first'),
  refusals: z.array(RefusedRequests).describe('requests that limits refused lately, of all processes, the most first'),
  jobs: z.object({ workers: Count, paused: z.boolean(), waiting: Count, active: Count, failed: Count, failedLately: Count }).nullable(),
  encodings: z.object({ waiting: Count, running: Count, failed: Count, failedLately: Count, late: Count }),
  incoming: z.object({ waiting: Count }),
  rewrittenHost: z.string().nullable().describe('what the proxy in front puts in the place of the host name that other servers sign'),
  outgoing: z.object({ waiting: Count, held: Count, unsendable: Count.describe('activities that cannot be signed') }),
  peers: z.object({
    total: Count,
    failing: Count,
    open: Count,
    suspended: Count,
    refusing: z.array(z.string()).describe('hosts that refuse to show many of their videos')
  })
})
export type Health = z.output<typeof Health>

const Resolutions = z.object({
  '0p': z.boolean(),
  '144p': z.boolean(),
  '240p': z.boolean(),
  '360p': z.boolean(),
  '480p': z.boolean(),
  '720p': z.boolean(),
  '1080p': z.boolean(),
  '1440p': z.boolean(),
  '2160p': z.boolean()
})

/** The configuration in the shape of PeerTube's API: the parts that this client changes; the others are present, too. */
export const CustomConfig = z.looseObject({
  instance: z.looseObject({
    name: z.string(),
    shortDescription: z.string(),
    description: z.string(),
    terms: z.string(),
    codeOfConduct: z.string(),
    moderationInformation: z.string(),
    administrator: z.string(),
    languages: z.array(z.string()),
    categories: z.array(z.int()),
    isNSFW: z.boolean(),
    defaultNSFWPolicy: z.string()
  }),
  signup: z.object({
    enabled: z.boolean(),
    limit: z.int(),
    requiresApproval: z.boolean(),
    requiresEmailVerification: z.boolean(),
    minimumAge: z.int()
  }),
  user: z.looseObject({ videoQuota: z.int(), videoQuotaDaily: z.int() }),
  transcoding: z.looseObject({
    enabled: z.boolean(),
    encoder: z.string(),
    webVideos: z.object({ enabled: z.boolean() }),
    originalFile: z.object({ keep: z.boolean() }),
    resolutions: Resolutions
  })
})
export type CustomConfig = z.output<typeof CustomConfig>

const APPLIED = 'All values are applied, in every process, or none. They override the configuration files and are stored in the database.'
const REFUSED_VALUES = 'a value is invalid, can only be changed in the files, or would switch on a feature that does not exist'
const refusals = { 405: 'The configuration files allow no changes' }

/** Routes for administrators. */
export const administrationContract = defineContract({
  'GET /server/health': { summary: 'Health of the instance', tag: 'Administration', auth: 'admin', response: Health },
  'GET /config/custom': { summary: 'The configuration', tag: 'Administration', auth: 'admin', response: CustomConfig },
  'PUT /config/custom': {
    summary: 'Replace the configuration',
    tag: 'Administration',
    auth: 'admin',
    response: CustomConfig,
    description: `Accepts the whole response of \`GET /config/custom\`; the settings of features that exist are required. ${APPLIED} Settings of features that do not exist here have no effect, and the response shows them as they are; to switch such a feature on is refused.`,
    body: z.record(z.string(), z.unknown()),
    refusals: { 400: `A required key is missing, or ${REFUSED_VALUES}`, ...refusals }
  },
  'PATCH /config/custom': {
    summary: 'Change a part of the configuration',
    tag: 'Administration',
    auth: 'admin',
    response: CustomConfig,
    description: `Accepts any part of the response of \`GET /config/custom\`; omitted keys stay unchanged. ${APPLIED}`,
    body: z.record(z.string(), z.unknown()),
    refusals: { 400: `Refused because ${REFUSED_VALUES}`, ...refusals }
  },
  'POST /config/instance-avatar/pick': {
    summary: 'Set the avatar of the instance',
    tag: 'Administration',
    auth: 'admin',
    files: { avatarfile: 'avatar' }
  },
  'DELETE /config/instance-avatar': { summary: 'Remove the avatar of the instance', tag: 'Administration', auth: 'admin' },
  'POST /config/instance-banner/pick': {
    summary: 'Set the banner of the instance',
    tag: 'Administration',
    auth: 'admin',
    files: { bannerfile: 'avatar' }
  },
  'DELETE /config/instance-banner': { summary: 'Remove the banner of the instance', tag: 'Administration', auth: 'admin' },
  'DELETE /config/custom': {
    summary: 'Reset the configuration to that of the files',
    tag: 'Administration',
    auth: 'admin',
    response: CustomConfig,
    refusals
  }
})
