const MIB = 2 ** 20
const INITIAL_SIZE = 4 * MIB
const MIN_SIZE = MIB
const MAX_SIZE = 64 * MIB
/** The intended duration of a chunk: short enough to lose little when it fails, long enough for few requests. */
const TARGET_MS = 4000

/** Computes the size in bytes of the next chunk from the duration of the last one; at most the limit of the instance (0: no limit). */
export class UploadChunkSize {
  readonly #limit: number
  #size: number

  constructor(maxChunkSize: number) {
    this.#limit = maxChunkSize > 0 ? Math.min(maxChunkSize, MAX_SIZE) : MAX_SIZE
    this.#size = Math.min(INITIAL_SIZE, this.#limit)
  }

  get size(): number {
    return this.#size
  }

  /** Adapts the size to a chunk of `bytes` that was sent in `ms` milliseconds. */
  recordSuccess(bytes: number, ms: number): void {
    const targetSize = (bytes / Math.max(1, ms)) * TARGET_MS
    const bounded = Math.min(this.#size * 2, Math.max(this.#size / 2, targetSize))
    this.#size = Math.max(Math.min(MIN_SIZE, this.#limit), Math.min(this.#limit, Math.round(bounded)))
  }

  /** Halves the size after a chunk that was not received. */
  recordFailure(): void {
    this.#size = Math.max(Math.min(MIN_SIZE, this.#limit), Math.round(this.#size / 2))
  }
}

/** Parses a Range header of the server to the number of received bytes: 100 for `bytes=0-99`, 0 for `bytes=0--1` or no header. */
export function parseReceivedBytes(range: string | null): number {
  const last = /^bytes=0-(-?\d+)$/.exec(range ?? '')?.[1]
  return last === undefined ? 0 : Number(last) + 1
}
