import { AsyncLocalStorage } from 'node:async_hooks'

/** The request whose work is done, if any: whether somebody waits for it, and the IP address it came from. */
type Context = { isAwaited: boolean; ip: string | undefined }

const context = new AsyncLocalStorage<Context>()

/** Runs `act` as the work of a request (from `ip`), for which somebody waits: its statements have the time limits of requests (core/database). */
export function runAsRequest<T>(act: () => T, ip?: string): T {
  const current = context.getStore()
  return current?.isAwaited ? act() : context.run({ isAwaited: true, ip: current?.ip ?? ip }, act)
}

/** Runs `act` as work that a request starts and nobody waits for, or that must not be cut short: with the time limits of jobs. */
export function runAsBackgroundWork<T>(act: () => T): T {
  const current = context.getStore()
  return current?.isAwaited ? context.run({ ...current, isAwaited: false }, act) : act()
}

/** Whether the current work is that of a request. */
export function isRequestWork(): boolean {
  return context.getStore()?.isAwaited === true
}

/** The IP address of the request whose work this is; undefined where there is none. */
export function requestIp(): string | undefined {
  return context.getStore()?.ip
}
