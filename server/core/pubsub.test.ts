import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { config } from './config.ts'
import { emitEvent, onEvent } from './events.ts'

let site: TestInstance
let publisher: Redis
let subscriber: Redis
const published: { from: string; name: string; event: object }[] = []
beforeAll(async () => {
  site = await startTestInstance()
  publisher = new Redis({ path: inject('redis').socket })
  subscriber = publisher.duplicate()
  subscriber.on('message', (_channel, text) => published.push(JSON.parse(text) as (typeof published)[number]))
  await subscriber.subscribe(`${config.redis.prefix}:news`)
})
afterAll(async () => {
  publisher?.disconnect()
  subscriber?.disconnect()
  await site?.stop()
})

it('a shared event reaches the other processes, once for many of a kind', async () => {
  for (let number = 0; number < 50; number++) emitEvent('inbox.filled', { lane: 0 })
  emitEvent('outbox.filled', { lane: 2, delay: 0 })
  await eventually(
    async () => published.some(one => one.name === 'inbox.filled') && published.some(one => one.name === 'outbox.filled'),
    5,
    'the event'
  )
  expect(published.filter(one => one.name === 'inbox.filled').length).toBeLessThan(10)
})

it('shared events of others are emitted here and not published again, other names are ignored', async () => {
  const received: object[] = []
  onEvent('inbox.filled', event => {
    received.push(event)
  })
  const before = published.length
  await eventually(
    async () => {
      await publisher.publish(`${config.redis.prefix}:news`, JSON.stringify({ from: 'another', name: 'inbox.filled', event: { lane: 7 } }))
      return received.some(event => (event as { lane: number }).lane === 7)
    },
    5,
    'the event'
  )
  await publisher.publish(`${config.redis.prefix}:news`, JSON.stringify({ from: 'another', name: 'user.created', event: { userId: 1 } }))
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(published.slice(before).filter(one => one.from !== 'another')).toEqual([])
})
