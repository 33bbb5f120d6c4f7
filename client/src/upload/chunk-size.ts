const MEBI = 2 ** 20
const FIRST = 4 * MEBI
const SMALLEST = MEBI
const LARGEST = 64 * MEBI
/** A piece should take about so long: short enough to lose little, long enough to ask seldom. */
const AIM = 4000

/** The size of the next piece, by how long the last one took; never above what the instance takes (0: no limit). */
export class UploadChunkSize {
  readonly #limit: number
  #size: number

  constructor(maxChunkSize: number) {
    this.#limit = maxChunkSize > 0 ? Math.min(maxChunkSize, LARGEST) : LARGEST
    this.#size = Math.min(FIRST, this.#limit)
  }

  get size(): number {
    return this.#size
  }

  /** Learns from a piece of `bytes` that took `ms`. */
  took(bytes: number, ms: number): void {
    const wanted = (bytes / Math.max(1, ms)) * AIM
    const bounded = Math.min(this.#size * 2, Math.max(this.#size / 2, wanted))
    this.#size = Math.max(Math.min(SMALLEST, this.#limit), Math.min(this.#limit, Math.round(bounded)))
  }

  /** Learns that a piece did not arrive. */
  failed(): void {
    this.#size = Math.max(Math.min(SMALLEST, this.#limit), Math.round(this.#size / 2))
  }
}

/** `bytes=0-99` is 100; nothing yet is `bytes=0--1` or no header at all. */
export function parseReceivedBytes(range: string | null): number {
  const last = /^bytes=0-(-?\d+)$/.exec(range ?? '')?.[1]
  return last === undefined ? 0 : Number(last) + 1
}
