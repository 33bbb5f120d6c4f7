import { expect, it } from 'vitest'
import { startInstance, eventually } from '../test/instance.ts'
import { wipeRedis } from '../test/faults.ts'
import { config } from './config.ts'
import { queue } from './job.ts'

it('timers come back after Redis was wiped under a running worker, and those that are there stay as they are', async () => {
  const site = await startInstance({ jobs: { timers_interval: 200 } })
  try {
    const maintenance = await queue('maintenance')
    const timers = async () => (await maintenance.getJobSchedulers()).map(({ key, next }) => [key, next])
    const before = await eventually(async () => { const found = await timers(); return found.length > 2 && found }, 10, 'the timers')
    const slow = before.filter(([key]) => key === 'sweep-orphans')
    await new Promise(resolve => setTimeout(resolve, 500))
    expect((await timers()).filter(([key]) => key === 'sweep-orphans')).toEqual(slow)
    await wipeRedis(config.redis.prefix)
    expect(await timers()).toEqual([])
    await eventually(async () => (await timers()).length === before.length, 10, 'the timers again')
  } finally {
    await site.stop()
  }
})
