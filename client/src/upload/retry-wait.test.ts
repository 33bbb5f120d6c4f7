import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { RetryWait } from './retry-wait.ts'

test('any number of waits leaves no listener on the signal', async () => {
  const { signal } = new AbortController()
  const retry = new RetryWait()
  for (let attempt = 0; attempt < 5; attempt++) await retry.wait(1, signal)
  const ended = retry.wait(60_000, signal)
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  retry.end()
  await ended
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('a wait ends when the signal aborts, and does not begin after that', async () => {
  const controller = new AbortController()
  const retry = new RetryWait()
  const waiting = retry.wait(60_000, controller.signal)
  controller.abort()
  await waiting
  await retry.wait(60_000, controller.signal)
  retry.end()
})
