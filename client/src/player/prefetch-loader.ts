import type Hls from 'hls.js'
import type { LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js'
import { consumeInitialResponse } from '../initial-data.ts'
import { waitForNextTask } from '../main-thread.ts'
import { earlyPlaybackHandover } from './early-playback.ts'

/** A prefetched response: bytes, or the text of a playlist; and its times (milliseconds), from which hls.js estimates the bandwidth. */
type PrefetchedResponse<T extends ArrayBuffer | string> = { data: T; startedAt: number; respondedAt: number; endedAt: number }

const prefetchedRanges = new Map<string, () => Promise<PrefetchedResponse<ArrayBuffer>>>()
// The init segment and the first segment were fetched with one request; hls.js requests them separately.
for (const prefetched of earlyPlaybackHandover?.files ?? []) {
  const {
    file,
    ends: [headerEnd, segmentEnd]
  } = prefetched
  for (const [from, to] of [
    [0, headerEnd],
    [headerEnd, segmentEnd]
  ] as const) {
    prefetchedRanges.set(`${file} ${from}-${to}`, async () => {
      const data = (await prefetched.bytes).slice(from, to)
      const { startedAt, respondedAt, endedAt } = prefetched
      return { data, startedAt, respondedAt, endedAt }
    })
  }
}

/**
 * Returns a loader for hls.js that serves each prefetched response, or playlist that the page contains, once without a request. A server
 * may answer the request for a range with the whole file (RFC 9110 §14.2); hls.js would take all of it for the segment.
 */
export function createPrefetchLoader(Base: typeof Hls.DefaultConfig.loader): typeof Hls.DefaultConfig.loader {
  return class extends Base {
    override load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
      const prefetched = takePrefetched(context)
      const rangeCallbacks = withRangeOnly(callbacks)
      if (!prefetched) return super.load(context, config, rangeCallbacks)
      this.context = context
      const respond = async () => {
        const response = await prefetched.catch(() => null)
        await waitForNextTask()
        // The loader was destroyed or aborted meanwhile.
        if (this.context !== context) return
        if (!response) return super.load(context, config, rangeCallbacks)
        const { data, startedAt, respondedAt, endedAt } = response
        const size = typeof data === 'string' ? data.length : data.byteLength
        // Shifted as if the response had ended now: the time it was stored here says nothing about the bandwidth.
        const delay = performance.now() - endedAt
        Object.assign(this.stats.loading, { start: startedAt + delay, first: respondedAt + delay, end: endedAt + delay })
        Object.assign(this.stats, { loaded: size, total: size, bwEstimate: (size * 8000) / Math.max(1, endedAt - respondedAt) })
        callbacks.onProgress?.(this.stats, context, data, null)
        callbacks.onSuccess({ url: new URL(context.url, location.href).href, data, code: 200 }, this.stats, context, null)
      }
      void respond()
    }

    override abort(): void {
      super.abort()
      this.context = null
    }
  }
}

/** Returns the same callbacks, which of a whole file get only the range that was requested. */
function withRangeOnly({ onSuccess, onProgress, ...others }: LoaderCallbacks<LoaderContext>): LoaderCallbacks<LoaderContext> {
  return {
    ...others,
    onProgress:
      onProgress && ((stats, context, data, networkDetails) => onProgress(stats, context, cutToRange(data, context), networkDetails)),
    onSuccess: (response, stats, context, networkDetails) =>
      onSuccess({ ...response, data: response.data && cutToRange(response.data, context) }, stats, context, networkDetails)
  }
}

function cutToRange<T>(data: T, { rangeStart = 0, rangeEnd = 0 }: LoaderContext): T | ArrayBuffer {
  const isRange = rangeEnd === 0 || !(data instanceof ArrayBuffer) || data.byteLength <= rangeEnd - rangeStart
  return isRange ? data : data.slice(rangeStart, rangeEnd)
}

function takePrefetched({ url, rangeStart, rangeEnd }: LoaderContext): Promise<PrefetchedResponse<ArrayBuffer | string>> | null {
  const path = pathAndQueryOf(url)
  if (!rangeEnd) {
    const text = consumeInitialResponse(path)
    const now = performance.now()
    return typeof text === 'string' ? Promise.resolve({ data: text, startedAt: now, respondedAt: now, endedAt: now }) : null
  }
  const key = `${path} ${rangeStart}-${rangeEnd}`
  const loadRange = prefetchedRanges.get(key)
  prefetchedRanges.delete(key)
  return loadRange?.() ?? null
}

/** Returns the path and query of a URL. */
function pathAndQueryOf(url: string): string {
  const { pathname, search } = new URL(url, location.href)
  return pathname + search
}
