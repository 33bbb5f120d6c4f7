import type Hls from 'hls.js'
import type { LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js'
import { consumeInitialResponse } from '../initial-data.ts'
import { waitForNextTask } from '../main-thread.ts'
import { earlyPlaybackHandover } from './early-playback.ts'

/** What was fetched ahead: bytes, or a playlist's text; and when (ms), which tells the speed of the line. */
type Fetched<T extends ArrayBuffer | string> = { data: T; began: number; answered: number; ended: number }

const pieces = new Map<string, () => Promise<Fetched<ArrayBuffer>>>()
// Header and segment came at once; the library asks for one after the other.
for (const piece of earlyPlaybackHandover?.pieces ?? []) {
  const {
    file,
    ends: [middle, end]
  } = piece
  for (const [from, to] of [
    [0, middle],
    [middle, end]
  ] as const) {
    pieces.set(`${file} ${from}-${to}`, async () => {
      const data = (await piece.bytes).slice(from, to)
      const { began, answered, ended } = piece
      return { data, began, answered, ended }
    })
  }
}

/** The loader of hls.js, which does not ask again for what came with the page or was fetched ahead. */
export function createPrefetchLoader(Base: typeof Hls.DefaultConfig.loader): typeof Hls.DefaultConfig.loader {
  return class extends Base {
    override load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
      const coming = take(context)
      if (!coming) return super.load(context, config, callbacks)
      this.context = context
      const answer = async () => {
        const came = await coming.catch(() => null)
        await waitForNextTask()
        // Destroyed or aborted meanwhile.
        if (this.context !== context) return
        if (!came) return super.load(context, config, callbacks)
        const { data, began, answered, ended } = came
        const size = typeof data === 'string' ? data.length : data.byteLength
        // As if it had ended now: what lay here meanwhile says nothing of the line.
        const lay = performance.now() - ended
        Object.assign(this.stats.loading, { start: began + lay, first: answered + lay, end: ended + lay })
        Object.assign(this.stats, { loaded: size, total: size, bwEstimate: (size * 8000) / Math.max(1, ended - answered) })
        callbacks.onProgress?.(this.stats, context, data, null)
        callbacks.onSuccess({ url: new URL(context.url, location.href).href, data, code: 200 }, this.stats, context, null)
      }
      void answer()
    }

    override abort(): void {
      super.abort()
      this.context = null
    }
  }
}

function take({ url, rangeStart, rangeEnd }: LoaderContext): Promise<Fetched<ArrayBuffer | string>> | null {
  const path = pathOf(url)
  if (!rangeEnd) {
    const text = consumeInitialResponse(path)
    const now = performance.now()
    return typeof text === 'string' ? Promise.resolve({ data: text, began: now, answered: now, ended: now }) : null
  }
  const key = `${path} ${rangeStart}-${rangeEnd}`
  const one = pieces.get(key)
  pieces.delete(key)
  return one?.() ?? null
}

/** Where a file of this instance lies below the origin. */
function pathOf(url: string): string {
  const { pathname, search } = new URL(url, location.href)
  return pathname + search
}
