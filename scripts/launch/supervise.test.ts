import { expect, test } from 'vitest'
import { superviseService, type SupervisedService } from './supervise.ts'

/** A service that ends when the test ends it. */
function createService(): SupervisedService & { end: (exitReason: string) => void; stopped: boolean } {
  let end!: (exitReason: string) => void
  const ended = new Promise<string>(resolve => {
    end = resolve
  })
  const created = {
    pid: 1,
    ended,
    end,
    stopped: false,
    stop: async () => {
      created.stopped = true
      end('SIGTERM')
    }
  }
  return created
}

test('a service that ends is restarted after growing delays, until it is stopped', async () => {
  const [messages, started]: [string[], ReturnType<typeof createService>[]] = [[], []]
  let refusals = 0
  const supervised = await superviseService(
    'It',
    async () => {
      if (started.length === 2 && refusals++ < 2) throw new Error('not yet')
      started.push(createService())
      return started.at(-1)!
    },
    line => messages.push(line),
    new AbortController().signal,
    [1, 2, 3]
  )
  expect(supervised.first).toBe(started[0])
  started[0]!.end('exit 1')
  await expect.poll(() => started.length).toBe(2)
  started[1]!.end('SIGKILL')
  await expect.poll(() => started.length).toBe(3)
  expect(messages).toEqual([
    'It ended (exit 1); starting it again',
    'It ended (SIGKILL); starting it again',
    'It did not start: not yet',
    'It did not start: not yet'
  ])
  await supervised.stop()
  expect(started[2]!.stopped).toBe(true)
  expect(started).toHaveLength(3)
})

test('throws when the first start fails', async () => {
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

test('a stop during the delay ends it', async () => {
  const service = createService()
  const supervised = await superviseService(
    'It',
    async () => service,
    () => {},
    new AbortController().signal,
    [3_600_000]
  )
  service.end('exit 1')
  await new Promise(resolve => setTimeout(resolve, 20))
  await supervised.stop()
})

test('a service that ends because of the abort signal is not restarted', async () => {
  const abort = new AbortController()
  const [messages, service]: [string[], ReturnType<typeof createService>] = [[], createService()]
  const supervised = await superviseService(
    'It',
    async () => service,
    line => messages.push(line),
    abort.signal,
    [1]
  )
  abort.abort()
  service.end('SIGTERM')
  await supervised.stop()
  expect(messages).toEqual([])
})
