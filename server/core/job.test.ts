import { expect, it } from 'vitest'
import { allJobs } from '../app/jobs.ts'
import { startTestInstance, eventually } from '../test/instance.ts'
import { wipeRedis } from '../test/fault-injection.ts'
import { config } from './config.ts'
import { openQueue, startWorkers, stopWorkers } from './job.ts'
import { redis } from './redis.ts'

it('a worker removes the timer of a job that an earlier version declared', async () => {
  const site = await startTestInstance({}, ['web'])
  try {
    const maintenance = await openQueue('maintenance')
    await maintenance.upsertJobScheduler('count-views', { every: 3_600_000 }, { name: 'count-views', data: {} })
    await startWorkers(allJobs)
    const keys = (await maintenance.getJobSchedulers()).map(({ key }) => key)
    expect(keys).toContain('videos-views-stats')
    expect(keys).not.toContain('count-views')
  } finally {
    await stopWorkers()
    await site.stop()
  }
})

it('timers are restored after Redis was wiped under a running worker, and existing ones stay unchanged', async () => {
  const site = await startTestInstance({ jobs: { timers_interval: 200 } })
  try {
    const maintenance = await openQueue('maintenance')
    const timers = async () => (await maintenance.getJobSchedulers()).map(({ key, next }) => [key, next])
    const declared = allJobs.filter(one => one.queue === 'maintenance' && one.every).length
    const before = await eventually(
      async () => {
        const found = await timers()
        return found.length === declared && found
      },
      10,
      'the timers'
    )
    // The first run is immediate, the next is hours later.
    const slowTimer = await eventually(
      async () => {
        const found = (await timers()).filter(([key, next]) => key === 'sweep-orphans' && Number(next) > Date.now() + 60_000)
        return found.length === 1 && found
      },
      10,
      'the first turn'
    )
    await new Promise(resolve => setTimeout(resolve, 500))
    expect((await timers()).filter(([key]) => key === 'sweep-orphans')).toEqual(slowTimer)
    await redis.set(`${config.redis.prefix}:mark`, 'here before')
    await wipeRedis(config.redis.prefix)
    expect(await redis.get(`${config.redis.prefix}:mark`)).toBe(null)
    await eventually(async () => (await timers()).length === before.length, 10, 'the timers again')
    // Wiped during a run: the timer is stored, but no delayed job exists for it.
    const next = async () => (await maintenance.getJobScheduler('sweep-views'))!.next!
    await eventually(async () => (await next()) > Date.now(), 10, 'the first turn')
    await (
      await maintenance.getDelayed()
    )
      .find(waiting => waiting.name === 'sweep-views')!
      .remove()
      .catch(() => undefined)
    await redis.zadd(`${config.redis.prefix}:queue:maintenance:repeat`, Date.now() - 60_000, 'sweep-views')
    expect(await next()).toBeLessThan(Date.now())
    await eventually(async () => (await next()) > Date.now(), 10, 'the stopped timer')
  } finally {
    await site.stop()
  }
})
