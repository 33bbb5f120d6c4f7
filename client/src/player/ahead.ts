import type Hls from 'hls.js'
import type { LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js'
import { beginning, takeAnswer } from '../first-data.ts'
import { pause } from '../pause.ts'
import { read } from '../storage.ts'

/** What was fetched ahead: bytes, or a playlist's text; and when (ms), which tells the speed of the line. */
type Fetched<T extends ArrayBuffer | string> = { data: T, began: number, answered: number, ended: number }
/** A file that playing begins with: its media playlist, and its header with the first segment. */
export type Ahead = { playlist: string, bytes: Promise<ArrayBuffer> }

const pieces = new Map<string, Promise<Fetched<ArrayBuffer>>>()

/** Begins to fetch the first picture and sound of the opened page's video, while the player and its library are still on their way; null where it may not begin there. */
export function fetchAhead(): Ahead[] | null {
  // Whoever has watched before may begin with another quality, and who was sent to a place begins there.
  if (!beginning || read('bandwidth') !== null || read('quality') !== null || new URLSearchParams(location.search).has('start')) return null
  return beginning.files.map(({ playlist, file, ends }) => ({ playlist, bytes: fetchPieces(file, ends) }))
}

/** The loader of hls.js, which does not ask again for what came with the page or was fetched ahead. */
export function loaderWithAhead(Base: typeof Hls.DefaultConfig.loader): typeof Hls.DefaultConfig.loader {
  return class extends Base {
    override load(context: LoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
      const coming = take(context)
      if (!coming) return super.load(context, config, callbacks)
      this.context = context
      const answer = async () => {
        const came = await coming.catch(() => null)
        await pause()
        // Destroyed or aborted meanwhile.
        if (this.context !== context) return
        if (!came) return super.load(context, config, callbacks)
        const { data, began, answered, ended } = came
        const size = typeof data === 'string' ? data.length : data.byteLength
        Object.assign(this.stats.loading, { start: began, first: answered, end: ended })
        Object.assign(this.stats, { loaded: size, total: size, bwEstimate: size * 8000 / Math.max(1, ended - answered) })
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
    const text = takeAnswer(path)
    const now = performance.now()
    return typeof text === 'string' ? Promise.resolve({ data: text, began: now, answered: now, ended: now }) : null
  }
  const key = `${path} ${rangeStart}-${rangeEnd}`
  const one = pieces.get(key) ?? null
  pieces.delete(key)
  return one
}

/** Where a file of this instance lies below the origin. */
function pathOf(url: string): string {
  const { pathname, search } = new URL(url, location.href)
  return pathname + search
}

/** Fetches header and segment at once, and keeps them as the library asks for them. */
function fetchPieces(path: string, [middle, end]: [number, number]): Promise<ArrayBuffer> {
  const began = performance.now()
  let answered = began
  const whole = fetch(path, { headers: { Range: `bytes=0-${end - 1}` } }).then(async response => {
    answered = performance.now()
    const bytes = await response.arrayBuffer()
    if (response.status !== 206 || bytes.byteLength !== end) throw new Error(`${response.status} while fetching ahead`)
    return bytes
  })
  const piece = async (from: number, to: number): Promise<Fetched<ArrayBuffer>> => ({ data: (await whole).slice(from, to), began, answered, ended: performance.now() })
  for (const [from, to] of [[0, middle], [middle, end]] as const) {
    const one = piece(from, to)
    // Whoever takes it asks again.
    one.catch(() => {})
    pieces.set(`${path} ${from}-${to}`, one)
  }
  return whole
}
