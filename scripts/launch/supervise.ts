import { setTimeout as sleep } from 'node:timers/promises'

/** A private Postgres or Redis that runs: `ended` resolves (with a phrase) when it stops for whatever reason. */
export interface SupervisedService {
  pid: number
  ended: Promise<string>
  stop: () => Promise<void>
}

/** The pauses before a service that ended is started again, in milliseconds; the last one repeats. */
const PAUSES = [100, 1000, 3000, 10_000, 30_000]
/** A service that ran for so long (ms) was well: its next end begins with the first pause again. */
const WELL = 60_000

/**
 * Starts a service and starts it again whenever it ends by itself, saying so, until `signal` aborts or `stop` is called; `stop` ends
 * it whatever it is doing. The first start's refusal is thrown; later ones are said and tried again.
 */
export async function superviseService<S extends SupervisedService>(
  name: string,
  start: (signal: AbortSignal) => Promise<S>,
  say: (line: string) => void,
  signal: AbortSignal,
  pauses = PAUSES
): Promise<{ first: S; stop: () => Promise<void> }> {
  const own = new AbortController()
  const over = AbortSignal.any([signal, own.signal])
  const first = await start(over)
  let current = first
  const watching = watch()
  return {
    first,
    stop: async () => {
      own.abort()
      await current.stop()
      await watching
    }
  }

  async function watch(): Promise<void> {
    let attempt = 0
    let began = Date.now()
    for (let how = await current.ended; !over.aborted; how = await current.ended) {
      if (Date.now() - began > WELL) attempt = 0
      say(`${name} ended (${how}); starting it again`)
      while (!over.aborted && !(await again(attempt++))) continue
      began = Date.now()
    }
  }

  async function again(attempt: number): Promise<boolean> {
    await sleep(pauses[Math.min(attempt, pauses.length - 1)], undefined, { signal: over }).catch(() => {})
    if (over.aborted) return false
    try {
      current = await start(over)
      return true
    } catch (error) {
      if (!over.aborted) say(`${name} did not start: ${(error as Error).message}`)
      return false
    }
  }
}
