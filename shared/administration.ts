import { z } from 'zod'
import { defineContract } from './contract.ts'

const Count = z.int().min(0)
const Bytes = z.number().min(0)

/** Something that is wrong with the instance, the worst first; `count`, `share` and `bytes` say how wrong. */
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
    'peers_troubled'
  ]),
  bad: z.boolean().describe('false: it works, but not for ever'),
  count: Count.optional(),
  bytes: Bytes.optional()
})
export type HealthFault = z.output<typeof HealthFault>

/** What an administrator needs to know at one glance; sizes in bytes, spans in seconds. */
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
  jobs: z.object({ workers: Count, paused: z.boolean(), waiting: Count, active: Count, failed: Count, failedLately: Count }).nullable(),
  encodings: z.object({ waiting: Count, running: Count, failed: Count, failedLately: Count, late: Count }),
  incoming: z.object({ waiting: Count }),
  outgoing: z.object({ waiting: Count, held: Count }),
  peers: z.object({ total: Count, failing: Count, open: Count, suspended: Count })
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

/** The configuration in the shape of PeerTube's clients: the parts that this client changes; the others are there, too. */
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

const refusals = { 405: 'The files of the configuration allow no change' }

/** What administrators see and set. */
export const administrationContract = defineContract({
  'GET /server/health': { summary: 'How the instance is doing', tag: 'Administration', auth: 'admin', response: Health },
  'GET /config/custom': { summary: 'The configuration', tag: 'Administration', auth: 'admin', response: CustomConfig },
  'PUT /config/custom': {
    summary: 'Change the configuration',
    tag: 'Administration',
    auth: 'admin',
    response: CustomConfig,
    description:
      "Any part of what `GET /config/custom` gives: what is left out stays as it is. All of it is taken, in every process at once, or nothing. Values lie over the configuration's files and are kept in the database.",
    body: z.record(z.string(), z.unknown()),
    refusals: { 400: 'A value is not valid, or only the files may change it', ...refusals }
  },
  'DELETE /config/custom': {
    summary: 'Take back what was changed: the files count again',
    tag: 'Administration',
    auth: 'admin',
    response: CustomConfig,
    refusals
  }
})
