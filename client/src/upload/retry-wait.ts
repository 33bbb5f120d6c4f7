/** A wait before the next attempt, which can be ended early. */
export class RetryWait {
  #resolve: (() => void) | null = null

  /** Resolves after `ms`, at once when `signal` aborts, or at `end`. The signal outlives any number of waits, so none leaves a listener. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = (): void => this.end()
    await new Promise<void>(resolve => {
      this.#resolve = resolve
      timer = setTimeout(resolve, ms)
      signal.addEventListener('abort', end)
    })
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    this.#resolve = null
  }

  end(): void {
    this.#resolve?.()
  }
}
