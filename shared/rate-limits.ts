import { z } from 'zod'
import { Timestamp } from './fields.ts'

/** What refuses requests that are too many: the classes of `rates_limit`, the inbox and the unfinished uploads of a user. */
export const LIMITERS = [
  'api',
  'login',
  'signup',
  'upload',
  'client',
  'files',
  'activity_pub',
  'video_password',
  'inbox',
  'inbox_capacity',
  'unfinished_uploads'
] as const
export type Limiter = (typeof LIMITERS)[number]

const Count = z.int().min(0)

/** Requests that one limiter refused lately, and from where: IP addresses, anonymized as in the log, or the names of other servers. */
export const RefusedRequests = z.object({
  limiter: z.enum(LIMITERS),
  refusals: Count,
  lastAt: Timestamp,
  addresses: z.array(z.object({ address: z.string(), refusals: Count, lastAt: Timestamp })),
  others: Count.describe('refusals of all other addresses')
})
export type RefusedRequests = z.output<typeof RefusedRequests>
