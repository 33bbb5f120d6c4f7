import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { onEvent } from './events.ts'

let site: TestInstance
let told = 0
beforeAll(async () => {
  site = await startTestInstance({ http: { used_from: 5 } }, ['web'])
  onEvent('site.used', () => {
    told++
  })
})
afterAll(async () => await site?.stop())

it('a look now and then is no use that others must step back for, many are, and are told once a second', async () => {
  for (let number = 0; number < 3; number++) await site.call('GET /videos')
  await new Promise(resolve => setTimeout(resolve, 1100))
  for (let number = 0; number < 3; number++) await site.call('POST /users/token', { form: {} })
  expect(told).toBe(0)
  // Also what is answered from memory.
  const began = Date.now()
  await Promise.all(Array.from({ length: 40 }, async () => await site.call('GET /videos')))
  await eventually(async () => told > 0, 5, 'the news')
  expect(told).toBeLessThanOrEqual(1 + Math.ceil((Date.now() - began) / 1000))
})
