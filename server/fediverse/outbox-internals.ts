import { defineInternals } from '../core/internals.ts'

/** Internals of deliveries. Times in ms. */
export const OUTBOX = defineInternals('outbox', {
  /** How long after the last sign of use `federation.outbox.pace` holds. */
  paceFor: 2000,
  /** A request that takes longer than this does not keep others from their turn; at most `maxSlow` requests in all. */
  slowAfter: 500,
  maxSlow: 2048,
  /** Requests to one host at once. */
  perHost: 4,
  connectTimeout: 5000,
  timeout: 10_000,
  /** Deliveries claimed at once. */
  batch: 500,
  lease: 60_000,
  /** Tripled with each attempt, with jitter, up to `maxRetryDelay`. */
  retryDelay: 30_000,
  maxRetryDelay: 43_200_000,
  /** After so many refusals (4xx) a delivery is given up. */
  maxRefusals: 3,
  /** The same for 401 and 403, which a peer also answers while it cannot fetch our key; half a day. */
  maxMistrusts: 9,
  /** After so many an activity that cannot be signed is set aside. */
  maxSignAttempts: 5,
  /** How often waiting deliveries are looked for without an event. */
  checkInterval: 5000,
  /**
   * Circuit breaker: after so many failures in a row within `window` a host is left alone for `pause`, doubled each time up to `maxPause`.
   */
  breaker: { failures: 5, window: 600_000, pause: 1_800_000, maxPause: 43_200_000 },
  /** Activities kept for a host that does not answer; it crawls the others when it is back. */
  maxHeld: 200,
  /** How long the kind of signature is remembered that a host wanted. */
  signatureMemory: 86_400_000,
  sweepInterval: 600_000
})
