import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { config, loadConfig } from '../core/config.ts'
import { emitEvent } from '../core/events.ts'
import { createDeliveryRateLimiter } from './delivery-rate-limit.ts'

beforeAll(() => loadConfig({ overrides: { federation: { outbox: { pace: 200, pace_for: '2 seconds', batch: 500 } } } }))
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** How many of `many` begin in so many ms. */
function begun(pace: ReturnType<typeof createDeliveryRateLimiter>, ms: number, many = 10_000): number {
  let count = 0
  for (let now = 0; now < ms; now += 10, vi.advanceTimersByTime(10)) while (count < many && pace.take() === 0) count++
  return count
}
const used = async () => {
  emitEvent('site.used', {})
  await Promise.resolve()
}

it('nothing waits while nobody uses the site', () => {
  const pace = createDeliveryRateLimiter()
  expect(begun(pace, 10, 3000)).toBe(3000)
  expect(pace.batch()).toBe(500)
})

it('while people use it deliveries keep to the pace, and run again when they are gone', async () => {
  const pace = createDeliveryRateLimiter()
  await used()
  const count = begun(pace, 1000)
  expect(count).toBeGreaterThan(190)
  expect(count).toBeLessThan(220)
  while (pace.take() === 0) continue
  expect(pace.take()).toBeGreaterThanOrEqual(20)
  expect(pace.batch()).toBe(50)
  vi.advanceTimersByTime(config.federation.outbox.pace_for)
  expect(begun(pace, 10, 3000)).toBe(3000)
})

it('what was for nothing lets others begin in its place', async () => {
  const pace = createDeliveryRateLimiter()
  await used()
  begun(pace, 500)
  for (let number = 0; number < 30; number++) pace.giveBack()
  expect(begun(pace, 10)).toBeGreaterThanOrEqual(30)
  // A world of dead hosts is no reason to run.
  for (let number = 0; number < 3000; number++) pace.giveBack()
  expect(begun(pace, 10)).toBeLessThan(220)
})
