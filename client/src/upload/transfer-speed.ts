const WINDOW_MS = 8000

/** Measures the speed of a transfer over the last 8 seconds. */
export class TransferSpeed {
  #points: [time: number, bytes: number][] = []

  /** Records the bytes transferred so far. */
  record(bytes: number): void {
    const now = performance.now()
    this.#points.push([now, bytes])
    while (this.#points.length > 2 && now - this.#points[0]![0] > WINDOW_MS) this.#points.shift()
  }

  /** Discards the measurements before an interruption. */
  reset(): void {
    this.#points = []
  }

  /** Discards the measurements if the last one is too old. */
  dropStale(): void {
    if (this.#points.length > 0 && performance.now() - this.#points.at(-1)![0] > WINDOW_MS) this.#points = []
  }

  /** Returns the bytes per second; null before there are measurements over 250 ms. */
  bytesPerSecond(): number | null {
    const [first, last] = [this.#points[0], this.#points.at(-1)]
    if (!first || !last || last[0] - first[0] < 250) return null
    return ((last[1] - first[1]) / (last[0] - first[0])) * 1000
  }
}
