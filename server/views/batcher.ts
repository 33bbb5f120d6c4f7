/**
 * Lets what is added at about the same time be done together: `act` gets all of it, and one map for what it finds; one batch after the
 * other. Each of those who added something hears what became of its batch.
 */
export function createBatcher<T, A>(act: (items: T[], found: Map<string, A>) => Promise<void>): (item: T) => Promise<Map<string, A>> {
  type Waiting = { item: T; done: (found: Map<string, A>) => void; failed: (error: unknown) => void }
  let waiting: Waiting[] = []
  let working = false
  const work = async () => {
    working = true
    // What else this turn of the loop brings comes along.
    await new Promise(resolve => setImmediate(resolve))
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      const found = new Map<string, A>()
      try {
        await act(
          batch.map(one => one.item),
          found
        )
        for (const { done } of batch) done(found)
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    working = false
  }
  return async item =>
    await new Promise((done, failed) => {
      waiting.push({ item, done, failed })
      if (!working) void work()
    })
}
