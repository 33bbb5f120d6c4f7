import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { config } from './config.ts'
import { emitEvent, onEvent } from './events.ts'

let site: TestInstance
let other: Redis
let ears: Redis
const told: { from: string; name: string; event: object }[] = []
beforeAll(async () => {
  site = await startTestInstance()
  other = new Redis({ path: inject('redis').socket })
  ears = other.duplicate()
  ears.on('message', (_channel, text) => told.push(JSON.parse(text) as (typeof told)[number]))
  await ears.subscribe(`${config.redis.prefix}:news`)
})
afterAll(async () => {
  other?.disconnect()
  ears?.disconnect()
  await site?.stop()
})

it('news of one process wakes the others, once for many of a kind', async () => {
  for (let number = 0; number < 50; number++) emitEvent('inbox.filled', { lane: 0 })
  emitEvent('outbox.filled', { lane: 2, delay: 0 })
  await eventually(
    async () => told.some(one => one.name === 'inbox.filled') && told.some(one => one.name === 'outbox.filled'),
    5,
    'the news'
  )
  expect(told.filter(one => one.name === 'inbox.filled').length).toBeLessThan(10)
})

it('news of others is heard here, and not told on', async () => {
  const heard: object[] = []
  onEvent('inbox.filled', event => {
    heard.push(event)
  })
  const before = told.length
  await eventually(
    async () => {
      await other.publish(`${config.redis.prefix}:news`, JSON.stringify({ from: 'another', name: 'inbox.filled', event: { lane: 7 } }))
      return heard.some(event => (event as { lane: number }).lane === 7)
    },
    5,
    'the news'
  )
  await other.publish(`${config.redis.prefix}:news`, JSON.stringify({ from: 'another', name: 'user.created', event: { userId: 1 } }))
  await new Promise(resolve => setTimeout(resolve, 100))
  expect(told.slice(before).filter(one => one.from !== 'another')).toEqual([])
})
