import { AsyncLocalStorage } from 'node:async_hooks'

const isWithinRequest = new AsyncLocalStorage<boolean>()

/** Runs `act` as the work of a request, for which somebody waits: its statements have the time limits of requests (core/database). */
export function runAsRequest<T>(act: () => T): T {
  return isWithinRequest.getStore() ? act() : isWithinRequest.run(true, act)
}

/** Runs `act` as work that a request starts and nobody waits for, or that must not be cut short: with the time limits of jobs. */
export function runAsBackgroundWork<T>(act: () => T): T {
  return isWithinRequest.getStore() ? isWithinRequest.run(false, act) : act()
}

/** Whether the current work is that of a request. */
export function isRequestWork(): boolean {
  return isWithinRequest.getStore() === true
}
