import { expect, test } from 'vitest'
import { shareNextRun } from './share-next-run.ts'

test('calls during a run share the next one, which begins after them; a failure ends with its run', async () => {
  let runs = 0
  const ends: (() => void)[] = []
  const call = shareNextRun(async () => {
    const number = ++runs
    await new Promise<void>(resolve => ends.push(resolve))
    if (number === 2) throw new Error('lost')
    return number
  })
  const first = call()
  const shared = [call(), call(), call()].map(async promise => await promise.catch((error: Error) => error.message))
  await Promise.resolve()
  expect(runs).toBe(1)
  ends[0]!()
  expect(await first).toBe(1)
  await expect.poll(() => runs).toBe(2)
  const later = call()
  ends[1]!()
  expect(await Promise.all(shared)).toEqual(['lost', 'lost', 'lost'])
  await expect.poll(() => runs).toBe(3)
  ends[2]!()
  expect(await later).toBe(3)
})
