import { config } from '../core/config.ts'
import { FETCH } from './fetch-internals.ts'

/**
 * Why a document could not be fetched: gone (410), missing (404), forbidden (401, 403), refused by our own rules, unreachable (for now: no
 * response, 5xx, 429), invalid (unexpected content), or the fetch budget or rate limit is used up.
 */
export type FetchErrorKind = 'gone' | 'missing' | 'forbidden' | 'refused' | 'unreachable' | 'invalid' | 'budget'

/** Thrown when a document or file of another server could not be fetched. */
export class FetchError extends Error {
  readonly kind: FetchErrorKind
  readonly status: number | undefined
  /** Whether the answer was a page: not from the ActivityPub server, but from something in front of it. */
  readonly isHtml: boolean
  constructor(kind: FetchErrorKind, message: string, { status, isHtml = false }: { status?: number; isHtml?: boolean } = {}) {
    super(message)
    this.kind = kind
    this.status = status
    this.isHtml = isHtml
  }
}

/** Whether what could not be fetched may be there later: its server has trouble, or was asked too often. */
export function isPassingFetchError(error: unknown): boolean {
  return error instanceof FetchError && (error.kind === 'unreachable' || error.kind === 'budget')
}

/** How many documents may still be fetched for one cause (docs/federation.md#reply-chains). */
export class FetchBudget {
  #left: number
  constructor(max: number = FETCH.maxPerActivity) {
    this.#left = max
  }

  /** Uses one fetch; throws FetchError `budget` when none is left. */
  spend(): void {
    if (this.#left-- <= 0) throw new FetchError('budget', 'Too many documents would have to be asked for')
  }
}

type RequestWindow = { ends: number; count: number }
const windowByHost = new Map<string, RequestWindow>()
/** The maximum number of remembered hosts; the oldest is forgotten first (docs/federation.md#bounded-memory). */
const MAX_HOSTS = 10_000

/** Counts a request to a host; throws FetchError `budget` beyond `federation.fetch.per_host`. */
export function countHostRequest(host: string, now = Date.now()): void {
  const { window, max } = config.federation.fetch.per_host
  let current = windowByHost.get(host)
  if (!current || current.ends <= now) {
    windowByHost.delete(host)
    windowByHost.set(host, (current = { ends: now + window, count: 0 }))
    if (windowByHost.size > MAX_HOSTS) windowByHost.delete(windowByHost.keys().next().value!)
  }
  if (++current.count > max) throw new FetchError('budget', `${host} has been asked too often`)
}
