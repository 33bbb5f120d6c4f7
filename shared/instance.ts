import { z } from 'zod'
import { defineContract } from './contract.ts'
import { resultList, Paging } from './fields.ts'

const Job = z.object({
  id: z.string(),
  state: z.string(),
  type: z.string(),
  data: z.unknown(),
  priority: z.int().optional(),
  progress: z.number(),
  error: z.unknown().nullable(),
  createdAt: z.iso.datetime(),
  processedOn: z.iso.datetime().nullable(),
  finishedOn: z.iso.datetime().nullable()
})
const JobState = z.enum(
  ['active', 'completed', 'failed', 'waiting', 'delayed', 'paused', 'waiting-children', 'prioritized'],
  'Invalid value'
)
const JobQuery = Paging.extend({
  jobType: z.string().max(100).optional(),
  sort: z.enum(['createdAt', '-createdAt'], 'Invalid value').optional()
})

/** Routes about the instance: settings for clients, the about page, statistics, health, jobs. */
export const instanceContract = defineContract({
  'GET /ping': { summary: 'Check that the server responds', tag: 'Instance', response: z.literal('pong') },
  'GET /config': {
    summary: 'Settings a client needs',
    tag: 'Instance',
    cache: true,
    response: z.looseObject({
      instance: z.looseObject({ name: z.string(), shortDescription: z.string() }),
      serverVersion: z.string(),
      signup: z.object({
        allowed: z.boolean(),
        allowedForCurrentIP: z.boolean(),
        minimumAge: z.int(),
        requiresApproval: z.boolean(),
        requiresEmailVerification: z.boolean()
      })
    })
  },
  'GET /config/about': {
    summary: 'The about page',
    tag: 'Instance',
    cache: true,
    response: z.object({ instance: z.looseObject({ name: z.string() }) })
  },
  'GET /server/stats': {
    summary: 'Statistics of the instance',
    tag: 'Instance',
    cache: true,
    response: z.looseObject({ totalUsers: z.int(), totalLocalVideos: z.int(), totalVideos: z.int() })
  },
  'GET /server/debug': {
    summary: 'Health',
    tag: 'Administration',
    auth: 'admin',
    description:
      '`activityPubMessagesWaiting`: received activities not yet processed; `outgoing.held`: those of `outgoing.waiting` whose servers do not answer.',
    response: z.object({
      ip: z.string(),
      activityPubMessagesWaiting: z.int(),
      incoming: z.object({ waiting: z.int() }),
      outgoing: z.object({ waiting: z.int(), held: z.int() })
    })
  },
  'POST /server/debug/run-command': {
    summary: 'Run a job of the server now',
    tag: 'Administration',
    auth: 'admin',
    body: z.object({ command: z.string('Invalid value').max(100, 'Invalid value') }),
    refusals: { 400: 'There is no such command' }
  },
  'POST /server/logs/client': {
    summary: 'Write an error of a client into the log of the server',
    tag: 'Instance',
    body: z.object({
      message: z.string('Invalid value').min(1, 'Invalid value').max(5000, 'Invalid value'),
      url: z.string('Invalid value').min(1, 'Invalid value').max(2000, 'Invalid value'),
      level: z.enum(['error', 'warn'], 'Invalid value'),
      stackTrace: z.string('Invalid value').max(15_000, 'Invalid value').optional(),
      userAgent: z.string('Invalid value').max(500, 'Invalid value').optional(),
      meta: z.string('Invalid value').max(10_000, 'Invalid value').optional()
    })
  },
  'POST /metrics/playback': {
    summary: 'Metrics of a player',
    tag: 'Instance',
    description: 'Accepted and dropped: `openTelemetry.metrics.enabled` of `GET /config` is false, so nothing is measured.',
    body: z.record(z.string(), z.unknown())
  },
  'GET /jobs': { summary: 'Jobs of every state', tag: 'Administration', auth: 'admin', query: JobQuery, response: resultList(Job) },
  'GET /jobs/:state': {
    summary: 'Jobs of one state',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ state: JobState }),
    query: JobQuery,
    response: resultList(Job)
  },
  'POST /jobs/pause': { summary: 'Pause the job queues', tag: 'Administration', auth: 'admin' },
  'POST /jobs/resume': { summary: 'Resume the job queues', tag: 'Administration', auth: 'admin' }
})
