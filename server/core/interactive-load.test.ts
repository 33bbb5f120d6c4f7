import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { onEvent } from './events.ts'

let site: TestInstance
let eventCount = 0
beforeAll(async () => {
  site = await startTestInstance({ http: { used_from: 5 } }, ['web'])
  onEvent('site.used', () => {
    eventCount++
  })
})
afterAll(async () => await site?.stop())

it('few requests a second emit nothing, many emit site.used at most once a second', async () => {
  for (let number = 0; number < 3; number++) await site.call('GET /videos')
  await new Promise(resolve => setTimeout(resolve, 1100))
  for (let number = 0; number < 3; number++) await site.call('POST /users/token', { form: {} })
  expect(eventCount).toBe(0)
  // Responses from the cache count, too.
  const startedAt = Date.now()
  await Promise.all(Array.from({ length: 40 }, async () => await site.call('GET /videos')))
  await eventually(async () => eventCount > 0, 5, 'the event')
  expect(eventCount).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - startedAt) / 1000))
})
