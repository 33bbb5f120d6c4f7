import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { emitEvent } from '../core/events.ts'
import { logger } from '../core/logger.ts'
import { afterCommit } from '../core/transaction.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from './remote-fetch.ts'
import { isPassingFetchError } from './fetch-budget.ts'
import { INBOX } from './inbox-internals.ts'
import { httpUrl } from './origin.ts'
import { typeOf, type JsonObject } from './vocabulary.ts'

/** What a feature does with the objects it stores when their origin was asked for their state. */
export type ObjectRefreshHandler = {
  /** Types of the documents that `store` gets. */
  types: readonly string[]
  /** Returns the URLs of the actors that may delete the object with this URL; empty if there is none here. */
  listOwners(url: string): Promise<string[]>
  /** Stores a document that was fetched from its origin by a request sent at `requestedAt`. May throw FetchError. */
  store(document: JsonObject, requestedAt: Date, budget: FetchBudget): Promise<void>
  /**
   * Removes the object with this URL, if there is one: its origin answered a request sent at `requestedAt` that it is `gone` (410, a
   * Tombstone) or `missing` (404), or does not show what its owner has deleted.
   */
  remove(url: string, requestedAt: Date, answer: 'gone' | 'missing'): Promise<void>
  /** The origin refuses to show the object (401, 403), and nobody has said that it is deleted. */
  forbid?(url: string, requestedAt: Date, error: FetchError): Promise<void>
}

const handlers: ObjectRefreshHandler[] = []

/** Registers what a feature does with refreshed objects. */
export function registerObjectRefreshHandler(handler: ObjectRefreshHandler): void {
  handlers.push(handler)
}

/** Whether an actor may delete the object with this URL. */
export async function isOwnerOfObject(actor: string, url: string): Promise<boolean> {
  for (const { listOwners } of handlers) if ((await listOwners(url)).includes(actor)) return true
  return false
}

/**
 * Requests that the state of a remote object is fetched from its origin soon. Requests for one object share a fetch; the more fetches there
 * were, the longer the next one waits. `withdrawn`: the owner of the object sent a Delete; it is asked at once though it did not answer before.
 */
export async function requestObjectRefresh(
  url: string,
  { withdrawn = false, tx }: { withdrawn?: boolean; tx?: Transaction } = {}
): Promise<void> {
  const [row] = await runQuery<{ due: boolean }>(
    sql`
    INSERT INTO object_refreshes AS stored (url, withdrawn) VALUES (${url}, ${withdrawn})
    ON CONFLICT (url) DO UPDATE SET requested_at = clock_timestamp(), withdrawn = stored.withdrawn OR excluded.withdrawn,
      attempts = CASE WHEN excluded.withdrawn AND NOT stored.withdrawn THEN 0 ELSE stored.attempts END,
      not_before = CASE WHEN excluded.withdrawn AND NOT stored.withdrawn AND stored.attempts > 0
        THEN least(stored.not_before, clock_timestamp()) ELSE stored.not_before END
    RETURNING not_before <= clock_timestamp() AS due`,
    tx
  )
  const announce = () => emitEvent('object.refresh-requested', {})
  if (!row?.due) return
  if (tx) afterCommit(tx, announce)
  else announce()
}

type ClaimedRefresh = { url: string; withdrawn: boolean; attempts: number; fetches: number; started_at: Date }

/** Fetches the objects that are due, several at once, until none is left or `signal` aborts. */
export async function refreshDueObjects(signal: AbortSignal): Promise<void> {
  const fetchUntilNoneIsDue = async () => {
    while (!signal.aborted) {
      const claimed = await claimDueRefresh()
      if (!claimed) return
      await refreshObject(claimed)
    }
  }
  await Promise.all(Array.from({ length: config.federation.crawl.concurrency }, fetchUntilNoneIsDue))
}

/** Deletes what needs no fetch any more and what could not be fetched for as long as a delivery is tried. */
export async function sweepObjectRefreshes(): Promise<void> {
  await runQuery(sql`
    DELETE FROM object_refreshes
    WHERE (fetched_at >= requested_at AND fetched_at < now() - ${sqlInterval(INBOX.refreshWindow)})
      OR (requested_at < now() - ${sqlInterval(config.federation.outbox.keep)})`)
}

/** Claims an object for the time of a lease; the number of fetches starts again after a pause. */
async function claimDueRefresh(): Promise<ClaimedRefresh | null> {
  const [row] = await runQuery<ClaimedRefresh>(sql`
    UPDATE object_refreshes SET not_before = now() + ${sqlInterval(INBOX.lease)},
      fetches = CASE WHEN fetched_at < now() - ${sqlInterval(INBOX.refreshWindow)} THEN 1 ELSE fetches + 1 END
    WHERE url = (SELECT url FROM object_refreshes WHERE (fetched_at IS NULL OR requested_at > fetched_at) AND not_before <= now()
      ORDER BY not_before LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING url, withdrawn, attempts, fetches, clock_timestamp() AS started_at`)
  return row ?? null
}

async function refreshObject({ url, withdrawn, attempts, fetches, started_at: startedAt }: ClaimedRefresh): Promise<void> {
  const error = await applyStateAtOrigin(url, withdrawn, attempts).catch((failure: unknown) => {
    if (!(failure instanceof FetchError)) logger.error('A remote object could not be refreshed', { url, error: failure })
    return failure as Error
  })
  const { refreshDelay, maxRefreshDelay, retryDelay, maxRetryDelay } = INBOX
  if (error && isPassingFetchError(error)) {
    // Full jitter: objects of one server are not all asked for at once.
    const delay = Math.min(maxRetryDelay, retryDelay * 2 ** attempts) * (0.5 + Math.random() / 2)
    await runQuery(sql`
      UPDATE object_refreshes SET attempts = attempts + 1, error = ${error.message}, not_before = now() + ${sqlInterval(delay)}
      WHERE url = ${url}`)
    return
  }
  const delay = fetches < 2 ? 0 : Math.min(maxRefreshDelay, refreshDelay * 2 ** (fetches - 2))
  await runQuery(sql`
    UPDATE object_refreshes SET fetched_at = ${startedAt}, attempts = 0, error = ${error?.message ?? null},
      withdrawn = withdrawn AND requested_at > ${startedAt}, not_before = now() + ${sqlInterval(delay)}
    WHERE url = ${url}`)
}

/** Fetches an object and has it stored, removed or hidden here. Returns the reason why nothing could be done. */
async function applyStateAtOrigin(url: string, withdrawn: boolean, attempts: number): Promise<Error | null> {
  const requestedAt = new Date()
  const budget = new FetchBudget()
  const remove = async (answer: 'gone' | 'missing') => {
    for (const handler of handlers) await handler.remove(url, requestedAt, answer)
  }
  try {
    const { document } = await fetchRemoteDocument(url, { budget })
    const type = typeOf(document)
    const takers = handlers.filter(({ types }) => type !== null && types.includes(type))
    // What its owner has deleted is not shown by a document of something else.
    if (type === 'Tombstone' || (withdrawn && (takers.length === 0 || httpUrl(document.id) !== url))) await remove('gone')
    for (const handler of takers) await handler.store(document, requestedAt, budget)
    return null
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    const { kind } = error
    if (kind === 'gone' || kind === 'missing') await remove(kind)
    else if (kind === 'forbidden' && withdrawn) await remove('gone')
    else if (kind === 'forbidden') for (const handler of handlers) await handler.forbid?.(url, requestedAt, error)
    // The word of its owner counts until the origin says something else.
    else if (withdrawn && attempts === 0) await remove('gone')
    return error
  }
}
