/**
 * Returns a function whose concurrent calls share runs of `run`, each of which begins at or after the call: what a run that is already going
 * on found may be too old, so all who call meanwhile share the next one.
 */
export function shareNextRun<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null
  let next: Promise<T> | null = null
  const start = async (): Promise<T> => {
    const started = run()
    running = started
    try {
      return await started
    } finally {
      if (running === started) running = null
    }
  }
  return async () => {
    if (!running) return await start()
    next ??= running
      .catch(() => undefined)
      .then(async () => {
        next = null
        return await start()
      })
    return await next
  }
}
