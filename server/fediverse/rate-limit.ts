import { clientNetwork } from '../core/client-network.ts'
import { config } from '../core/config.ts'
import { recordRefusal } from '../core/rate-limit-refusals.ts'
import { requestIp } from '../core/request-context.ts'
import { runQuery, sql } from '../core/sql.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { INBOX } from './inbox-internals.ts'

let requestCounts = new Map<string, number>()
let windowStart = 0

/**
 * Counts a request of a sender: of an IP address that claims to be a host, or of a verified host (without `ip`). Throws RejectedRequestError 429 beyond
 * `federation.inbox.per_host` (docs/federation.md#rate-limit-of-the-inbox).
 */
export function enforceSenderRateLimit({ host, ip }: { host: string; ip?: string }): void {
  const sender = ip === undefined ? host : `${clientNetwork(ip)} ${host}`
  const {
    per_host: { window, max },
    max_waiting
  } = config.federation.inbox
  const now = Date.now()
  // One window for all senders, so that memory is bounded by what one window brings.
  if (now - windowStart >= window || now < windowStart) {
    requestCounts = new Map()
    windowStart = now
  }
  const count = (requestCounts.get(sender) ?? 0) + 1
  if (count > max || requestCounts.size > max_waiting) {
    recordRefusal({ limiter: 'inbox', ...(ip === undefined ? { host } : { ip }) })
    throw new RejectedRequestError(429, 'Too many messages', windowStart + window - now)
  }
  requestCounts.set(sender, count)
}

let waitingCount = 0
let refreshedAt = -Infinity
let refreshing: Promise<void> | null = null

/** Throws RejectedRequestError 429 when more than `federation.inbox.max_waiting` activities wait. */
export async function enforceInboxCapacity(): Promise<void> {
  const { max_waiting } = config.federation.inbox
  const { checkInterval } = INBOX
  if (performance.now() - refreshedAt >= checkInterval)
    await (refreshing ??= refreshWaitingCount().finally(() => {
      refreshing = null
    }))
  if (++waitingCount <= max_waiting) return
  // The host is not verified yet: anybody could name another one.
  recordRefusal({ limiter: 'inbox_capacity', ip: requestIp() })
  throw new RejectedRequestError(429, 'Too many messages wait here', checkInterval)
}

async function refreshWaitingCount(): Promise<void> {
  const [row] = await runQuery<{ waiting: number }>(sql`SELECT count(*)::int AS waiting FROM incoming WHERE done_at IS NULL`)
  waitingCount = row!.waiting
  refreshedAt = performance.now()
}
