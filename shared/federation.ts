import { z } from 'zod'
import { defineContract } from './contract.ts'
import { DateTime, int, resultList, Paging } from './fields.ts'
import { hostParam } from './hosts.ts'

const NullableTimestamp = z.iso.datetime().nullable()
const HostParam = z.object({ host: hostParam() })

/**
 * A server this instance sends to, with its delivery state. `open`: the circuit breaker is open until `openUntil`; `suspended`: nothing is
 * sent until the server is heard from again.
 */
export const Peer = z.object({
  host: z.string(),
  state: z.enum(['ok', 'failing', 'open', 'suspended']),
  failures: z.int(),
  lastSuccessAt: NullableTimestamp,
  lastFailureAt: NullableTimestamp,
  lastError: z.string().nullable(),
  lastReceivedAt: NullableTimestamp,
  openUntil: NullableTimestamp,
  missedSince: NullableTimestamp,
  waiting: z.int(),
  oldestWaitingAt: NullableTimestamp,
  signature: z.string()
})
export type Peer = z.output<typeof Peer>

const IdParam = z.object({ id: int(1) })

/** A received activity that changed nothing, and why; `repeatable`: it can be processed again. */
export const IneffectiveActivity = z.object({
  id: z.int(),
  activityId: z.string(),
  type: z.string(),
  actor: z.string(),
  host: z.string(),
  reason: z.string(),
  receivedAt: z.iso.datetime(),
  repeatable: z.boolean()
})
export type IneffectiveActivity = z.output<typeof IneffectiveActivity>

/** An activity of this instance that was set aside because it cannot be signed. */
export const UnsendableActivity = z.object({
  id: z.int(),
  activityId: z.string().nullable(),
  type: z.string(),
  actor: z.string(),
  reason: z.string().nullable(),
  setAsideAt: z.iso.datetime()
})
export type UnsendableActivity = z.output<typeof UnsendableActivity>

/** Routes for administrators about federation with other servers. */
export const federationContract = defineContract({
  'GET /server/peers': {
    summary: 'Other servers, those with delivery problems first',
    tag: 'Federation',
    auth: 'admin',
    query: Paging,
    response: resultList(Peer)
  },
  'POST /server/peers/:host/retry': {
    summary: 'Try a server again now',
    tag: 'Federation',
    auth: 'admin',
    params: HostParam,
    refusals: { 404: 'nothing was ever sent there' }
  },
  'POST /server/peers/:host/resync': {
    summary: 'Send a server again what it may have missed',
    description: 'Sends everything public since `since`; by default since the server was suspended, else of the last days that are kept.',
    tag: 'Federation',
    auth: 'admin',
    params: HostParam,
    body: z.object({ since: DateTime.optional() }).optional(),
    refusals: { 404: 'nothing was ever sent there' }
  },
  'GET /server/ineffective-activities': {
    summary: 'Received activities that had no effect, the newest first',
    description:
      'The last hundred of each server, except views: who sent what kind of activity, and why nothing changed; never its content.',
    tag: 'Federation',
    auth: 'admin',
    query: Paging.extend({ host: hostParam().optional() }),
    response: resultList(IneffectiveActivity)
  },
  'POST /server/ineffective-activities/:id/process': {
    summary: 'Process a received activity again',
    description: 'It leaves the list, and comes back if it has no effect again.',
    tag: 'Federation',
    auth: 'admin',
    params: IdParam,
    refusals: { 404: 'It is not in the list', 409: 'What was received is not kept any more' }
  },
  'GET /server/unsendable-activities': {
    summary: 'Activities of this instance that cannot be signed, the newest first',
    tag: 'Federation',
    auth: 'admin',
    query: Paging,
    response: resultList(UnsendableActivity)
  },
  'POST /server/unsendable-activities/retry': {
    summary: 'Sign and send activities again that were set aside',
    tag: 'Federation',
    auth: 'admin',
    body: z.object({ id: int(1).optional().describe('only this one') }).optional(),
    refusals: { 404: 'None was set aside' }
  }
})
