import { logger } from './logger.ts'

/** Returns a function that logs a line at most once per `interval` ms; the next line has the number of those left out since as `notLogged`. */
export function throttledLog(
  level: 'error' | 'warn' | 'info',
  interval = 1000
): (message: string, details?: Record<string, unknown>) => void {
  let lastAt = -Infinity
  let notLogged = 0
  return (message, details = {}) => {
    if (performance.now() - lastAt < interval) {
      notLogged++
      return
    }
    lastAt = performance.now()
    logger[level](message, notLogged > 0 ? { ...details, notLogged } : details)
    notLogged = 0
  }
}
