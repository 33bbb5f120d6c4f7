import { config } from '../core/config.ts'

/**
 * Why a document could not be had: gone (410), missing (404), forbidden (401, 403), refused by our own rules, unreachable (now: no
 * answer, 5xx, 429), invalid (not what it should be), or more was asked for than is allowed.
 */
export type FetchErrorKind = 'gone' | 'missing' | 'forbidden' | 'refused' | 'unreachable' | 'invalid' | 'budget'

/** Thrown when another server's document could not be had. */
export class FetchError extends Error {
  readonly kind: FetchErrorKind
  readonly status: number | undefined
  constructor(kind: FetchErrorKind, message: string, status?: number) {
    super(message)
    this.kind = kind
    this.status = status
  }
}

/** How many more documents may be asked for because of one thing (docs/federation.md#reply-chains). */
export class FetchBudget {
  #left: number
  constructor(max: number = config.federation.fetch.max_per_activity) {
    this.#left = max
  }

  /** Takes one; throws FetchError 'budget' when none is left. */
  spend(): void {
    if (this.#left-- <= 0) throw new FetchError('budget', 'Too many documents would have to be asked for')
  }
}

type Window = { ends: number; count: number }
const windows = new Map<string, Window>()
/** So many hosts are remembered at most; the oldest is forgotten first (docs/federation.md#bounded-memory). */
const MAX_HOSTS = 10_000

/** Counts a question to a host; throws FetchError 'budget' beyond `federation.fetch.per_host`. */
export function countHostRequest(host: string, now = Date.now()): void {
  const { window, max } = config.federation.fetch.per_host
  let current = windows.get(host)
  if (!current || current.ends <= now) {
    windows.delete(host)
    windows.set(host, (current = { ends: now + window, count: 0 }))
    if (windows.size > MAX_HOSTS) windows.delete(windows.keys().next().value!)
  }
  if (++current.count > max) throw new FetchError('budget', `${host} has been asked too often`)
}
