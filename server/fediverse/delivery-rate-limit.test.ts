import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { loadConfig } from '../core/config.ts'
import { emitEvent } from '../core/events.ts'
import { createDeliveryRateLimiter } from './delivery-rate-limit.ts'
import { OUTBOX } from './outbox-internals.ts'

beforeAll(() => loadConfig({ overrides: { federation: { outbox: { pace: 200 } } } }))
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** How many of `max` deliveries may start within `ms`. */
function countStarted(rateLimiter: ReturnType<typeof createDeliveryRateLimiter>, ms: number, max = 10_000): number {
  let count = 0
  for (let now = 0; now < ms; now += 10, vi.advanceTimersByTime(10)) while (count < max && rateLimiter.acquire() === 0) count++
  return count
}
const emitSiteUsed = async () => {
  emitEvent('site.used', {})
  await Promise.resolve()
}

it('deliveries are unlimited while nobody uses the site', () => {
  const rateLimiter = createDeliveryRateLimiter()
  expect(countStarted(rateLimiter, 10, 3000)).toBe(3000)
  expect(rateLimiter.batchSize()).toBe(500)
})

it('deliveries are limited while people use the site, and unlimited afterwards', async () => {
  const rateLimiter = createDeliveryRateLimiter()
  await emitSiteUsed()
  const count = countStarted(rateLimiter, 1000)
  expect(count).toBeGreaterThan(190)
  expect(count).toBeLessThan(220)
  while (rateLimiter.acquire() === 0) continue
  expect(rateLimiter.acquire()).toBeGreaterThanOrEqual(20)
  expect(rateLimiter.batchSize()).toBe(50)
  vi.advanceTimersByTime(OUTBOX.paceFor)
  expect(countStarted(rateLimiter, 10, 3000)).toBe(3000)
})

it('a refund lets another delivery start', async () => {
  const rateLimiter = createDeliveryRateLimiter()
  await emitSiteUsed()
  countStarted(rateLimiter, 500)
  for (let number = 0; number < 30; number++) rateLimiter.refund()
  expect(countStarted(rateLimiter, 10)).toBeGreaterThanOrEqual(30)
  // Refunds do not accumulate beyond a burst, however many hosts are dead.
  for (let number = 0; number < 3000; number++) rateLimiter.refund()
  expect(countStarted(rateLimiter, 10)).toBeLessThan(220)
})
