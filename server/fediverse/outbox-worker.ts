import { config } from '../core/config.ts'
import { emitEvent, onEvent } from '../core/events.ts'
import { logger } from '../core/logger.ts'
import { fanOutActivities } from './fan-out.ts'
import {
  recordDeliverySuccesses,
  claimDeliveries,
  recordDeliveryFailures,
  releaseDeliveries,
  renewDeliveryLeases,
  setAsideActivityOf,
  type Delivery,
  type FailedDelivery
} from './outgoing.query.ts'
import { createDeliveryRateLimiter } from './delivery-rate-limit.ts'
import { recordPeerSignatureScheme } from './peers.ts'
import { postDelivery, type DeliveryOutcome } from './http-post.ts'
import { OUTBOX } from './outbox-internals.ts'

let wakers: (() => void)[] = []
let subscribed = false

/** Starts sending the activities of the outbox: driven by its rows, woken by the event for new ones (ARCHITECTURE.md, rule 1). */
export function startOutboxWorker(): { stop(): Promise<void> } {
  if (!config.federation.enabled) return { stop: async () => undefined }
  if (!subscribed)
    onEvent('outbox.filled', ({ delay }) => {
      for (const wake of wakers) setTimeout(wake, delay).unref()
    })
  subscribed = true
  const deliveryLoop = startDeliveryLoop()
  const fanOutLoop = startLoop('Activities cannot be spread', async () => {
    const foundActivities = await fanOutActivities()
    if (foundActivities) deliveryLoop.wake()
    return foundActivities
  })
  const loops = [fanOutLoop, deliveryLoop]
  wakers = loops.map(({ wake }) => wake)
  return {
    stop: async () => {
      wakers = []
      await Promise.all(loops.map(async loop => await loop.stop()))
    }
  }
}

type WorkLoop = { wake(): void; stop(): Promise<void> }

/** Runs `runStep` as long as it returns true, then again when woken or after `OUTBOX.checkInterval`. */
function startLoop(errorMessage: string, runStep: () => Promise<boolean>): WorkLoop {
  let stopping = false
  let woken = true
  let endSleep: () => void = () => undefined
  const wake = () => {
    woken = true
    endSleep()
  }
  const run = async () => {
    while (!stopping) {
      woken = false
      const more = await runStep().catch(error => {
        logger.warn(errorMessage, { error })
        return false
      })
      if (more || woken || stopping) continue
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, OUTBOX.checkInterval)
        endSleep = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
  const running = run()
  return {
    wake,
    stop: async () => {
      stopping = true
      wake()
      await running
    }
  }
}

function startDeliveryLoop(): WorkLoop {
  const { concurrency } = config.federation.outbox
  const { maxSlow, slowAfter, perHost, lease } = OUTBOX
  const leased = new Map<string, Delivery>()
  const queue: Delivery[] = []
  const claimedPerHost = new Map<string, number>()
  const inFlight = new Set<Promise<void>>()
  let usedSlots = 0
  let stopping = false
  const resultWriter = createResultWriter()
  const rateLimiter = createDeliveryRateLimiter()
  let rateLimitTimer: NodeJS.Timeout | undefined
  const saturatedHosts = () => [...claimedPerHost].filter(([, count]) => count >= perHost).map(([host]) => host)

  const deliver = async (delivery: Delivery) => {
    let holdsSlot = true
    usedSlots++
    const releaseSlot = (refundToken: boolean) => {
      if (!holdsSlot) return
      holdsSlot = false
      usedSlots--
      if (refundToken) rateLimiter.refund()
      startQueued()
      if (isQueueLow()) loop.wake()
    }
    const slotTimer = setTimeout(releaseSlot, slowAfter, true)
    try {
      const outcome = await postDelivery(delivery)
      if (outcome.kind !== 'arrived') releaseSlot(true)
      await resultWriter.add(delivery, outcome)
    } catch (error) {
      // The delivery is claimed again when its lease expires.
      logger.warn('What became of a delivery cannot be written', { error })
    } finally {
      clearTimeout(slotTimer)
      leased.delete(delivery.id)
      const remaining = claimedPerHost.get(delivery.host)! - 1
      if (remaining > 0) claimedPerHost.set(delivery.host, remaining)
      else claimedPerHost.delete(delivery.host)
      releaseSlot(false)
      if (isQueueLow()) loop.wake()
    }
  }

  const isQueueLow = () => queue.length <= rateLimiter.batchSize() / 2
  const isAtCapacity = () => usedSlots >= concurrency || inFlight.size >= maxSlow
  const startQueued = () => {
    while (queue.length > 0 && !isAtCapacity() && !stopping) {
      const waitMs = rateLimiter.acquire()
      if (waitMs > 0) {
        rateLimitTimer ??= setTimeout(() => {
          rateLimitTimer = undefined
          startQueued()
        }, waitMs).unref()
        break
      }
      const delivery = queue.shift()!
      const running: Promise<void> = deliver(delivery).finally(() => inFlight.delete(running))
      inFlight.add(running)
      if (isQueueLow()) loop.wake()
    }
  }

  // Claims more while queued deliveries start.
  const loop = startLoop('Deliveries cannot be read', async () => {
    if (stopping || !isQueueLow() || isAtCapacity()) return false
    const claimed = await claimDeliveries(rateLimiter.batchSize(), saturatedHosts())
    for (const delivery of claimed) {
      leased.set(delivery.id, delivery)
      claimedPerHost.set(delivery.host, (claimedPerHost.get(delivery.host) ?? 0) + 1)
      queue.push(delivery)
    }
    startQueued()
    return claimed.length > 0
  })
  const renewalTimer = setInterval(() => {
    if (leased.size > 0) void renewDeliveryLeases([...leased.keys()]).catch(() => undefined)
  }, lease / 3)
  return {
    wake: loop.wake,
    stop: async () => {
      stopping = true
      await loop.stop()
      await releaseDeliveries(queue.splice(0).map(({ id }) => id)).catch(() => undefined)
      await Promise.race([Promise.all(inFlight), new Promise(resolve => setTimeout(resolve, config.http.shutdown_timeout).unref())])
      clearInterval(renewalTimer)
    }
  }
}

/** How long (ms) outcomes of deliveries are collected, because a statement costs more than a row. */
const RESULT_DELAY = 50

/** Records the outcomes of deliveries, those that end at about the same time in one statement. */
function createResultWriter(): { add(delivery: Delivery, outcome: DeliveryOutcome): Promise<void> } {
  let successes: Delivery[] = []
  let failures: FailedDelivery[] = []
  let nextFlush: Promise<void> | null = null
  const flush = async () => {
    await new Promise(resolve => setTimeout(resolve, RESULT_DELAY))
    const [flushedSuccesses, flushedFailures] = [successes, failures]
    successes = []
    failures = []
    nextFlush = null
    if (flushedSuccesses.length > 0) await recordDeliverySuccesses(flushedSuccesses)
    if (flushedFailures.length > 0) await recordDeliveryFailures(flushedFailures)
  }
  let lastFlush: Promise<void> = Promise.resolve()
  return {
    add: async (delivery, outcome) => {
      if (outcome.kind === 'arrived') {
        successes.push(delivery)
        if (outcome.scheme !== (delivery.signature ?? 'cavage')) await recordPeerSignatureScheme(delivery.host, outcome.scheme)
      } else {
        const failure = toFailedDelivery(delivery, outcome)
        if (outcome.kind === 'unsignable' && failure.delay === null) {
          logger.warn('An activity cannot be signed', { actor: delivery.actor, reason: outcome.error })
          await setAsideActivityOf(delivery.id, outcome.error)
          return
        }
        failures.push(failure)
      }
      // One statement at a time: what ends meanwhile goes into the next one.
      nextFlush ??= lastFlush = lastFlush.catch(() => undefined).then(flush)
      await nextFlush
    }
  }
}

function toFailedDelivery(
  { id, host, inbox_url, attempts }: Delivery,
  outcome: Exclude<DeliveryOutcome, { kind: 'arrived' }>
): FailedDelivery {
  const { retryDelay, maxRetryDelay, maxRefusals, maxMistrusts, maxSignAttempts } = OUTBOX
  if (outcome.kind === 'gone') {
    emitEvent('inbox.gone', { inboxUrl: inbox_url })
    return { id, host, delay: null, error: 'It answers 410: the inbox is gone', countsAsFailure: false }
  }
  // Full jitter: hosts that failed together are not all retried together.
  const delay = Math.random() * Math.min(maxRetryDelay, retryDelay * 3 ** attempts)
  // No fault of the host: its other deliveries go on.
  if (outcome.kind === 'unsignable')
    return { id, host, delay: attempts + 1 >= maxSignAttempts ? null : delay, error: outcome.error, countsAsFailure: false }
  if (outcome.kind === 'refused') {
    const isLastAttempt = attempts + 1 >= (outcome.unauthorized ? maxMistrusts : maxRefusals)
    return { id, host, delay: isLastAttempt ? null : delay, error: outcome.error, countsAsFailure: false }
  }
  return { id, host, delay: outcome.retryAfter ?? delay, error: outcome.error, countsAsFailure: !outcome.rateLimited }
}
