import type { Job, JobState as BullState, Queue } from 'bullmq'
import type { z } from 'zod'
import type { instanceContract } from '../../shared/instance.ts'
import { openQueue, QUEUE_NAMES } from '../core/job.ts'

type JobPage = z.output<(typeof instanceContract)['GET /jobs']['response']>
type State = z.output<(typeof instanceContract)['GET /jobs/:state']['params']>['state']

const STATES: State[] = ['active', 'completed', 'failed', 'waiting', 'delayed', 'paused', 'waiting-children', 'prioritized']

/** What to list: jobs of one state or all, of one type or all, newest first unless told otherwise. */
export type JobFilters = { start: number; count: number; state?: State; jobType?: string; sort?: 'createdAt' | '-createdAt' }

/** Jobs of all queues as PeerTube's clients read them. */
export async function listJobs({ start, count, state, jobType, sort = '-createdAt' }: JobFilters): Promise<JobPage> {
  const found = (await Promise.all(QUEUE_NAMES.map(async name => await jobsOf(await openQueue(name), state ? [state] : STATES)))).flat()
  const wanted = jobType ? found.filter(one => one.job.name === jobType) : found
  const sign = sort === 'createdAt' ? 1 : -1
  wanted.sort((a, b) => sign * (a.job.timestamp - b.job.timestamp || Number(a.job.id) - Number(b.job.id) || 0))
  return { total: wanted.length, data: wanted.slice(start, start + count).map(({ job, state }) => shape(job, state)) }
}

/** Lets no further job start, in any process, or lets them start again; running ones go on. */
export async function setJobsPaused(paused: boolean): Promise<void> {
  await Promise.all(
    QUEUE_NAMES.map(async name => {
      const opened = await openQueue(name)
      await (paused ? opened.pause() : opened.resume())
    })
  )
}

async function jobsOf(queue: Queue, states: State[]): Promise<{ job: Job; state: State }[]> {
  const halted = await queue.isPaused()
  const lists = await Promise.all(
    states.map(async state => {
      // What waits in a halted queue is "paused" on the wire.
      if (state === (halted ? 'waiting' : 'paused')) return []
      const jobs = await queue.getJobs((state === 'paused' ? 'waiting' : state) as BullState)
      return jobs.map(job => ({ job, state }))
    })
  )
  return lists.flat()
}

function shape(job: Job, state: State): JobPage['data'][number] {
  return {
    id: job.id!,
    state,
    type: job.name,
    data: job.data,
    ...(job.opts.priority ? { priority: job.opts.priority } : {}),
    progress: typeof job.progress === 'number' ? job.progress : 0,
    error: job.stacktrace?.at(-1) ?? job.failedReason ?? null,
    createdAt: new Date(job.timestamp).toISOString(),
    processedOn: date(job.processedOn),
    finishedOn: date(job.finishedOn)
  }
}

function date(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}
