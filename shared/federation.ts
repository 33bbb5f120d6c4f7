import { z } from 'zod'
import { defineContract } from './contract.ts'
import { resultList, Paging } from './fields.ts'

const when = z.iso.datetime().nullable()
const Host = z.object({ host: z.string().min(1).max(300) })

/** A server this instance sends to, with what waits for it. `open`: left alone until `openUntil`; `suspended`: until it speaks again. */
export const Peer = z.object({
  host: z.string(),
  state: z.enum(['ok', 'failing', 'open', 'suspended']),
  failures: z.int(),
  lastSuccessAt: when,
  lastFailureAt: when,
  lastError: z.string().nullable(),
  lastReceivedAt: when,
  openUntil: when,
  missedSince: when,
  waiting: z.int(),
  oldestWaitingAt: when,
  signature: z.string()
})
export type Peer = z.output<typeof Peer>

/** How this instance gets on with other servers, for the administrator. */
export const federationContract = defineContract({
  'GET /server/peers': {
    summary: 'Other servers, those in trouble first',
    tag: 'Federation',
    auth: 'admin',
    query: Paging,
    response: resultList(Peer)
  },
  'POST /server/peers/:host/retry': {
    summary: 'Try a server again now',
    tag: 'Federation',
    auth: 'admin',
    params: Host,
    refusals: { 404: 'nothing was ever sent there' }
  },
  'POST /server/peers/:host/resync': {
    summary: 'Tell a server again what it may have missed',
    description: 'Everything public since `since`, or since it was given up, or of the last days that are kept.',
    tag: 'Federation',
    auth: 'admin',
    params: Host,
    body: z.object({ since: z.iso.datetime().optional() }).optional(),
    refusals: { 404: 'nothing was ever sent there' }
  }
})
