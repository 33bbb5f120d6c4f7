import { z } from 'zod'
import { defineContract } from './contract.ts'
import { resultList, Paging } from './fields.ts'

const NullableTimestamp = z.iso.datetime().nullable()
const HostParam = z.object({ host: z.string().min(1).max(300) })

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
    body: z.object({ since: z.iso.datetime().optional() }).optional(),
    refusals: { 404: 'nothing was ever sent there' }
  }
})
