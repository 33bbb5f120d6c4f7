/** Pauses and resumes every ffmpeg process that is subscribed to it. */
export class PauseControl {
  #paused = false
  #changedAt = 0
  #earlierPausesMs = 0
  readonly #listeners = new Set<(paused: boolean) => void>()

  get paused(): boolean {
    return this.#paused
  }

  /** Total time spent paused so far, in ms. */
  get pausedMs(): number {
    return this.#earlierPausesMs + (this.#paused ? performance.now() - this.#changedAt : 0)
  }

  setPaused(paused: boolean): void {
    if (paused === this.#paused) return
    const now = performance.now()
    if (!paused) this.#earlierPausesMs += now - this.#changedAt
    this.#changedAt = now
    this.#paused = paused
    for (const listener of this.#listeners) listener(paused)
  }

  /** Calls `listener` at once if paused already, and on every change until the returned function is called. */
  subscribe(listener: (paused: boolean) => void): () => void {
    this.#listeners.add(listener)
    if (this.#paused) listener(true)
    return () => this.#listeners.delete(listener)
  }
}
