import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'

/** What waits for less than this (ms) is not worth a wake-up of its own. */
const STEP = 20

let usedUntil = 0
let listening = false

/** Lets deliveries begin at a pace while people use the site, and as fast as they can while nobody does. */
export type DeliveryRateLimiter = {
  /** How many ms the next one has to wait; 0: it may begin, and counts. */
  take(): number
  /** One that began was for nothing: another may begin in its place, so that hosts that are dead cost the others no time. */
  giveBack(): void
  /** So many may be taken in hand at once, that what is urgent waits behind few. */
  batch(): number
}

/** Opens a pace of `federation.outbox.pace` deliveries a second. */
export function createDeliveryRateLimiter(): DeliveryRateLimiter {
  const { pace, pace_for, batch } = config.federation.outbox
  if (!listening)
    onEvent('site.used', () => {
      usedUntil = Date.now() + pace_for
    })
  listening = true
  const isFree = () => pace === 0 || Date.now() > usedUntil
  let left = 0
  let filledAt = performance.now()
  return {
    take: () => {
      if (isFree()) return 0
      const now = performance.now()
      // Never more than what begins in two steps at once.
      left = Math.max(left, Math.min(left + ((now - filledAt) * pace) / 1000, (2 * STEP * pace) / 1000))
      filledAt = now
      if (left < 1) return Math.max(STEP, ((1 - left) * 1000) / pace)
      left--
      return 0
    },
    giveBack: () => {
      left = Math.min(left + 1, pace)
    },
    batch: () => (isFree() ? batch : Math.min(batch, Math.ceil(pace / 4)))
  }
}
