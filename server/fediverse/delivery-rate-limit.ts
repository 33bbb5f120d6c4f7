import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'
import { OUTBOX } from './outbox-internals.ts'

/** The shortest wait (ms) that is worth a timer. */
const MIN_WAIT = 20

let interactiveUntil = 0
let subscribed = false

/** A token bucket that limits how fast deliveries start while people use the site; unlimited while nobody does. */
export type DeliveryRateLimiter = {
  /** Takes a token and returns 0, or returns after how many ms the next one may be available. */
  acquire(): number
  /** Returns the token of a failed or slow delivery, so that dead hosts do not delay the others. */
  refund(): void
  /** How many deliveries may be claimed at once; few while limited, so that urgent ones do not wait behind many. */
  batchSize(): number
}

/** Creates a limiter of `federation.outbox.pace` deliveries a second; 0: unlimited. */
export function createDeliveryRateLimiter(): DeliveryRateLimiter {
  const { pace } = config.federation.outbox
  const { paceFor, batch } = OUTBOX
  if (!subscribed)
    onEvent('site.used', () => {
      interactiveUntil = Date.now() + paceFor
    })
  subscribed = true
  const isUnlimited = () => pace === 0 || Date.now() > interactiveUntil
  let tokens = 0
  let refilledAt = performance.now()
  return {
    acquire: () => {
      if (isUnlimited()) return 0
      const now = performance.now()
      // A burst is at most what two of the shortest waits bring.
      tokens = Math.max(tokens, Math.min(tokens + ((now - refilledAt) * pace) / 1000, (2 * MIN_WAIT * pace) / 1000))
      refilledAt = now
      if (tokens < 1) return Math.max(MIN_WAIT, ((1 - tokens) * 1000) / pace)
      tokens--
      return 0
    },
    refund: () => {
      tokens = Math.min(tokens + 1, pace)
    },
    batchSize: () => (isUnlimited() ? batch : Math.min(batch, Math.ceil(pace / 4)))
  }
}
