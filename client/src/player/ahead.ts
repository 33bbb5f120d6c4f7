import type Hls from 'hls.js'
import type { LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js'
import { beginning, takeAnswer } from '../first-data.ts'
import { pause } from '../pause.ts'

/** What was fetched ahead: bytes, or a playlist's text; and when (ms), which tells the speed of the line. */
type Fetched<T extends ArrayBuffer | string> = { data: T, began: number, answered: number, ended: number }
/** A file that playing begins with: its media playlist, and its header with the first segment. */
export type Ahead = { playlist: string, bytes: Promise<ArrayBuffer> }

const pieces = new Map<string, Promise<Fetched<ArrayBuffer>>>()

/** What the page itself asks for (first.ts), by path: its bytes, and when (ms) it was asked, answered and there. */
export type Begun = Record<string, { bytes: Promise<ArrayBuffer>, began: number, answered: number, ended: number }>

/** The first picture and sound of the opened page's video, which are on their way before any of the client is there; null where it may not begin with them. */
export function takeAhead(): Ahead[] | null {
  const { bobineAhead: begun } = window as { bobineAhead?: Begun }
  if (!beginning || !begun) return null
  return beginning.files.map(({ playlist, file, ends }) => ({ playlist, bytes: inPieces(file, ends, begun[file]!) }))
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
        // As if it had ended now: what lay here meanwhile says nothing of the line.
        const lay = performance.now() - ended
        Object.assign(this.stats.loading, { start: began + lay, first: answered + lay, end: ended + lay })
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

/** Header and segment come at once, and are kept as the library asks for them. */
function inPieces(path: string, [middle, end]: [number, number], one: Begun[string]): Promise<ArrayBuffer> {
  const piece = async (from: number, to: number): Promise<Fetched<ArrayBuffer>> => {
    const whole = await one.bytes
    return { data: whole.slice(from, to), began: one.began, answered: one.answered, ended: one.ended }
  }
  for (const [from, to] of [[0, middle], [middle, end]] as const) {
    const part = piece(from, to)
    // Whoever takes it asks again.
    part.catch(() => {})
    pieces.set(`${path} ${from}-${to}`, part)
  }
  return one.bytes
}
