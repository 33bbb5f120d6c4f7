import { setTimeout as sleep } from 'node:timers/promises'

/** A running service: `ended` resolves (with a phrase) when it stops for whatever reason. */
export interface SupervisedService {
  pid: number
  ended: Promise<string>
  stop: () => Promise<void>
}

/** The delays before a restart, in milliseconds; the last one repeats. */
const RESTART_DELAYS = [100, 1000, 3000, 10_000, 30_000]
/** After a service ran for this long (ms), its next restart begins with the first delay again. */
const STABLE_AFTER = 60_000

/**
 * Starts a service and restarts it whenever it ends by itself, printing that, until `signal` aborts or `stop` is called; `stop` stops it in
 * any state. An error of the first start is thrown; later ones are printed and the start is retried.
 */
export async function superviseService<S extends SupervisedService>(
  name: string,
  start: (signal: AbortSignal) => Promise<S>,
  printLine: (line: string) => void,
  signal: AbortSignal,
  delays = RESTART_DELAYS
): Promise<{ first: S; stop: () => Promise<void> }> {
  const ownAbort = new AbortController()
  const stopSignal = AbortSignal.any([signal, ownAbort.signal])
  const first = await start(stopSignal)
  let current = first
  const restarting = restartWhenEnded()
  return {
    first,
    stop: async () => {
      ownAbort.abort()
      await current.stop()
      await restarting
    }
  }

  async function restartWhenEnded(): Promise<void> {
    let attempt = 0
    let began = Date.now()
    for (let exitReason = await current.ended; !stopSignal.aborted; exitReason = await current.ended) {
      if (Date.now() - began > STABLE_AFTER) attempt = 0
      printLine(`${name} ended (${exitReason}); starting it again`)
      while (!stopSignal.aborted && !(await tryRestart(attempt++))) continue
      began = Date.now()
    }
  }

  async function tryRestart(attempt: number): Promise<boolean> {
    await sleep(delays[Math.min(attempt, delays.length - 1)], undefined, { signal: stopSignal }).catch(() => {})
    if (stopSignal.aborted) return false
    try {
      current = await start(stopSignal)
      return true
    } catch (error) {
      if (!stopSignal.aborted) printLine(`${name} did not start: ${(error as Error).message}`)
      return false
    }
  }
}
