import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { RejectedRequestError } from './rejected-request.ts'
import { INBOX } from './inbox-internals.ts'

let requestCounts = new Map<string, number>()
let windowStart = 0

/**
 * Counts a request of a sender (an IP address and a claimed host, or a verified host). Throws RejectedRequestError 429 beyond
 * `federation.inbox.per_host` (docs/federation.md#rate-limit-of-the-inbox).
 */
export function enforceSenderRateLimit(sender: string): void {
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
  if (count > max || requestCounts.size > max_waiting) throw new RejectedRequestError(429, 'Too many messages', windowStart + window - now)
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
  if (++waitingCount > max_waiting) throw new RejectedRequestError(429, 'Too many messages wait here', checkInterval)
}

async function refreshWaitingCount(): Promise<void> {
  const [row] = await runQuery<{ waiting: number }>(sql`SELECT count(*)::int AS waiting FROM incoming WHERE done_at IS NULL`)
  waitingCount = row!.waiting
  refreshedAt = performance.now()
}
