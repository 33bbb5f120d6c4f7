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
  type Delivery,
  type FailedDelivery
} from './outgoing.query.ts'
import { createDeliveryRateLimiter } from './delivery-rate-limit.ts'
import { recordPeerSignatureScheme } from './peers.ts'
import { postDelivery, type DeliveryOutcome } from './http-post.ts'

let wakers: (() => void)[] = []
let listening = false

/** Starts sending what is in the outbox: driven by its rows, woken by news of new ones (law 1). */
export function startOutboxWorker(): { stop(): Promise<void> } {
  if (!config.federation.enabled) return { stop: async () => undefined }
  if (!listening)
    onEvent('outbox.filled', ({ delay }) => {
      for (const wake of wakers) setTimeout(wake, delay).unref()
    })
  listening = true
  const delivery = openDelivery()
  const spreading = openLoop('Activities cannot be spread', async () => {
    const spread = await fanOutActivities()
    if (spread) delivery.wake()
    return spread
  })
  const loops = [spreading, delivery]
  wakers = loops.map(({ wake }) => wake)
  return {
    stop: async () => {
      wakers = []
      await Promise.all(loops.map(async loop => await loop.stop()))
    }
  }
}

type Loop = { wake(): void; stop(): Promise<void> }

/** Does `step` again and again while it says that there is more, and else when woken, and now and then by itself. */
function openLoop(fault: string, step: () => Promise<boolean>): Loop {
  let stopping = false
  let woken = true
  let ring: () => void = () => undefined
  const wake = () => {
    woken = true
    ring()
  }
  const run = async () => {
    while (!stopping) {
      woken = false
      const more = await step().catch(error => {
        logger.warn(fault, { error })
        return false
      })
      if (more || woken || stopping) continue
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, config.federation.outbox.check_interval)
        ring = () => {
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

function openDelivery(): Loop {
  const { concurrency, max_slow, slow_after, per_host, lease } = config.federation.outbox
  const inHand = new Map<string, Delivery>()
  const queue: Delivery[] = []
  const byHost = new Map<string, number>()
  const flying = new Set<Promise<void>>()
  let busy = 0
  let stopping = false
  const results = collect()
  const pace = createDeliveryRateLimiter()
  let rest: NodeJS.Timeout | undefined
  const busyHosts = () => [...byHost].filter(([, count]) => count >= per_host).map(([host]) => host)

  const fly = async (delivery: Delivery) => {
    let counted = true
    busy++
    const letGo = (inVain: boolean) => {
      if (!counted) return
      counted = false
      busy--
      if (inVain) pace.giveBack()
      launch()
      if (isShort()) loop.wake()
    }
    const timer = setTimeout(letGo, slow_after, true)
    try {
      const ending = await postDelivery(delivery)
      if (ending.kind !== 'arrived') letGo(true)
      await results.add(delivery, ending)
    } catch (error) {
      // The lease ends by itself.
      logger.warn('What became of a delivery cannot be written', { reason: (error as Error).message })
    } finally {
      clearTimeout(timer)
      inHand.delete(delivery.id)
      const left = byHost.get(delivery.host)! - 1
      if (left > 0) byHost.set(delivery.host, left)
      else byHost.delete(delivery.host)
      letGo(false)
      if (isShort()) loop.wake()
    }
  }

  const isShort = () => queue.length <= pace.batch() / 2
  const isFull = () => busy >= concurrency || flying.size >= max_slow
  const launch = () => {
    while (queue.length > 0 && !isFull() && !stopping) {
      const wait = pace.take()
      if (wait > 0) {
        rest ??= setTimeout(() => {
          rest = undefined
          launch()
        }, wait).unref()
        break
      }
      const delivery = queue.shift()!
      const flight: Promise<void> = fly(delivery).finally(() => flying.delete(flight))
      flying.add(flight)
      if (isShort()) loop.wake()
    }
  }

  // More are read while those in the queue begin.
  const loop = openLoop('Deliveries cannot be read', async () => {
    if (stopping || !isShort() || isFull()) return false
    const claimed = await claimDeliveries(pace.batch(), busyHosts())
    for (const delivery of claimed) {
      inHand.set(delivery.id, delivery)
      byHost.set(delivery.host, (byHost.get(delivery.host) ?? 0) + 1)
      queue.push(delivery)
    }
    launch()
    return claimed.length > 0
  })
  const renewing = setInterval(() => {
    if (inHand.size > 0) void renewDeliveryLeases([...inHand.keys()]).catch(() => undefined)
  }, lease / 3)
  return {
    wake: loop.wake,
    stop: async () => {
      stopping = true
      await loop.stop()
      await releaseDeliveries(queue.splice(0).map(({ id }) => id)).catch(() => undefined)
      await Promise.race([Promise.all(flying), new Promise(resolve => setTimeout(resolve, config.http.shutdown_timeout).unref())])
      clearInterval(renewing)
    }
  }
}

/** So long (ms) what became of deliveries is collected: a statement costs more than a row. */
const TOGETHER = 50

/** Writes down what became of deliveries, those that end together in one statement. */
function collect(): { add(delivery: Delivery, ending: DeliveryOutcome): Promise<void> } {
  let good: Delivery[] = []
  let bad: FailedDelivery[] = []
  let writing: Promise<void> | null = null
  const write = async () => {
    await new Promise(resolve => setTimeout(resolve, TOGETHER))
    const [done, broken] = [good, bad]
    good = []
    bad = []
    writing = null
    if (done.length > 0) await recordDeliverySuccesses(done)
    if (broken.length > 0) await recordDeliveryFailures(broken)
  }
  let last: Promise<void> = Promise.resolve()
  return {
    add: async (delivery, ending) => {
      if (ending.kind === 'arrived') {
        good.push(delivery)
        if (ending.scheme !== (delivery.signature ?? 'cavage')) await recordPeerSignatureScheme(delivery.host, ending.scheme)
      } else bad.push(verdict(delivery, ending))
      // One statement at a time: what ends meanwhile goes into the next.
      writing ??= last = last.catch(() => undefined).then(write)
      await writing
    }
  }
}

function verdict({ id, host, inbox_url, attempts }: Delivery, ending: Exclude<DeliveryOutcome, { kind: 'arrived' }>): FailedDelivery {
  const { retry_delay, max_retry_delay, max_refusals, max_mistrusts } = config.federation.outbox
  if (ending.kind === 'gone') {
    emitEvent('inbox.gone', { inboxUrl: inbox_url })
    return { id, host, delay: null, error: 'It answers 410: the inbox is gone', counts: false }
  }
  // Full jitter: hosts that failed together are not all asked again together.
  const delay = Math.random() * Math.min(max_retry_delay, retry_delay * 3 ** attempts)
  if (ending.kind === 'refused') {
    const over = attempts + 1 >= (ending.mistrusted ? max_mistrusts : max_refusals)
    return { id, host, delay: over ? null : delay, error: ending.error, counts: false }
  }
  return { id, host, delay: ending.wait ?? delay, error: ending.error, counts: !ending.busy }
}
