const WINDOW = 8000

/** How fast something goes, over the last seconds. */
export class TransferSpeed {
  #points: [time: number, bytes: number][] = []

  /** Notes how far it is now. */
  at(bytes: number): void {
    const now = performance.now()
    this.#points.push([now, bytes])
    while (this.#points.length > 2 && now - this.#points[0]![0] > WINDOW) this.#points.shift()
  }

  /** Forgets what was before a break. */
  pause(): void {
    this.#points = []
  }

  /** Begins anew after a break. */
  resume(): void {
    if (this.#points.length > 0 && performance.now() - this.#points.at(-1)![0] > WINDOW) this.#points = []
  }

  perSecond(): number | null {
    const [first, last] = [this.#points[0], this.#points.at(-1)]
    if (!first || !last || last[0] - first[0] < 250) return null
    return ((last[1] - first[1]) / (last[0] - first[0])) * 1000
  }
}
