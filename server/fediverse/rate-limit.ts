import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { RejectedRequestError } from './rejected-request.ts'

let counts = new Map<string, number>()
let since = 0

/**
 * Counts a message of a sender (an address and a host, or a host whose signature was right) and throws when it is one too many
 * (docs/federation.md#rate-limit-of-the-inbox).
 */
export function enforceSenderRateLimit(sender: string): void {
  const {
    per_host: { window, max },
    max_waiting
  } = config.federation.inbox
  const now = Date.now()
  // All windows end together: what is remembered is bounded by what one window brings.
  if (now - since >= window || now < since) {
    counts = new Map()
    since = now
  }
  const taken = (counts.get(sender) ?? 0) + 1
  if (taken > max || counts.size > max_waiting) throw new RejectedRequestError(429, 'Too many messages', since + window - now)
  counts.set(sender, taken)
}

let waiting = 0
let countedAt = -Infinity
let counting: Promise<void> | null = null

/** Throws when more activities wait than this instance keeps. */
export async function enforceInboxCapacity(): Promise<void> {
  const { check_interval, max_waiting } = config.federation.inbox
  if (performance.now() - countedAt >= check_interval)
    await (counting ??= recount().finally(() => {
      counting = null
    }))
  if (++waiting > max_waiting) throw new RejectedRequestError(429, 'Too many messages wait here', check_interval)
}

async function recount(): Promise<void> {
  const [row] = await runQuery<{ waiting: number }>(sql`SELECT count(*)::int AS waiting FROM incoming WHERE done_at IS NULL`)
  waiting = row!.waiting
  countedAt = performance.now()
}
