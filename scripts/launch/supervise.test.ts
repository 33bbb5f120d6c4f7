import { expect, test } from 'vitest'
import { superviseService, type SupervisedService } from './supervise.ts'

/** A service that ends when the test says so. */
function service(): SupervisedService & { end: (how: string) => void; stopped: boolean } {
  let end!: (how: string) => void
  const ended = new Promise<string>(resolve => {
    end = resolve
  })
  const made = {
    pid: 1,
    ended,
    end,
    stopped: false,
    stop: async () => {
      made.stopped = true
      end('SIGTERM')
    }
  }
  return made
}

test('a service that ends is started again after growing pauses, until it is stopped', async () => {
  const [said, started]: [string[], ReturnType<typeof service>[]] = [[], []]
  let refusals = 0
  const kept = await superviseService(
    'It',
    async () => {
      if (started.length === 2 && refusals++ < 2) throw new Error('not yet')
      started.push(service())
      return started.at(-1)!
    },
    line => said.push(line),
    new AbortController().signal,
    [1, 2, 3]
  )
  expect(kept.first).toBe(started[0])
  started[0]!.end('exit 1')
  await expect.poll(() => started.length).toBe(2)
  started[1]!.end('SIGKILL')
  await expect.poll(() => started.length).toBe(3)
  expect(said).toEqual([
    'It ended (exit 1); starting it again',
    'It ended (SIGKILL); starting it again',
    'It did not start: not yet',
    'It did not start: not yet'
  ])
  await kept.stop()
  expect(started[2]!.stopped).toBe(true)
  expect(started).toHaveLength(3)
})

test("a service that does not start the first time is the caller's business", async () => {
  await expect(
    superviseService(
      'It',
      async () => {
        throw new Error('no')
      },
      () => {},
      new AbortController().signal
    )
  ).rejects.toThrow('no')
})

test('a stop during the pause ends the waiting', async () => {
  const only = service()
  const kept = await superviseService(
    'It',
    async () => only,
    () => {},
    new AbortController().signal,
    [3_600_000]
  )
  only.end('exit 1')
  await new Promise(resolve => setTimeout(resolve, 20))
  await kept.stop()
})

test('a service that ends because everything is being stopped is not started again', async () => {
  const abort = new AbortController()
  const [said, only]: [string[], ReturnType<typeof service>] = [[], service()]
  const kept = await superviseService(
    'It',
    async () => only,
    line => said.push(line),
    abort.signal,
    [1]
  )
  abort.abort()
  only.end('SIGTERM')
  await kept.stop()
  expect(said).toEqual([])
})
