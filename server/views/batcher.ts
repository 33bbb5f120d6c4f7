/**
 * Returns a function that adds an item to the next batch. `processBatch` gets all items of a batch and a map for its results; batches run
 * one after the other. The promise of each item resolves to the results of its batch, or rejects with its error.
 */
export function createBatcher<T, R>(
  processBatch: (items: T[], results: Map<string, R>) => Promise<void>
): (item: T) => Promise<Map<string, R>> {
  type QueuedItem = { item: T; resolve: (results: Map<string, R>) => void; reject: (error: unknown) => void }
  let queue: QueuedItem[] = []
  let isRunning = false
  const run = async () => {
    isRunning = true
    // Items that are added in the same turn of the event loop join the batch.
    await new Promise(resolve => setImmediate(resolve))
    while (queue.length > 0) {
      const batch = queue
      queue = []
      const results = new Map<string, R>()
      try {
        await processBatch(
          batch.map(({ item }) => item),
          results
        )
        for (const { resolve } of batch) resolve(results)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isRunning = false
  }
  return async item =>
    await new Promise((resolve, reject) => {
      queue.push({ item, resolve, reject })
      if (!isRunning) void run()
    })
}
