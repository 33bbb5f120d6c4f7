import pMap from 'p-map'
import { CRAWL } from './crawl-internals.ts'
import { FetchError } from './remote-fetch.ts'

/**
 * Fetches several objects of other servers, some at the same time, in order, until the job stops or its time (`CRAWL.refreshTime`) is over;
 * the others stay due. What cannot be fetched is skipped.
 */
export async function refreshRemoteObjects<T>(due: T[], signal: AbortSignal, refresh: (object: T) => Promise<unknown>): Promise<void> {
  const end = Date.now() + CRAWL.refreshTime
  await pMap(
    due,
    async object => {
      if (signal.aborted || Date.now() > end) return
      await refresh(object).catch((error: unknown) => {
        if (!(error instanceof FetchError)) throw error
      })
    },
    { concurrency: CRAWL.refreshConcurrency }
  )
}
