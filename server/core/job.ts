import type { Job as BullJob, JobsOptions, Queue, Worker } from 'bullmq'
import type { z } from 'zod'
import { config } from './config.ts'
import { logger } from './logger.ts'
import { createRedisConnection, redis } from './redis.ts'

/** Queues by kind of work, each with its own number of workers. */
export const QUEUE_NAMES = ['transcoding', 'maintenance', 'federation'] as const
/** The name of a queue. */
export type QueueName = (typeof QUEUE_NAMES)[number]

/** What a running job may do: say how far it is (0 to 100), and notice that the process is stopping. */
export type JobContext = { progress(percent: number): void; signal: AbortSignal }

/** A declared job. */
export type Job<P extends z.ZodType = z.ZodType> = {
  name: string
  queue: QueueName
  payload: P
  every?: () => number
  run: (payload: z.output<P>, run: JobContext) => Promise<void>
  /** Puts it in its queue, after `delay` ms. */
  enqueue(payload: z.input<P>, options?: { delay?: number }): Promise<void>
}

const queues = new Map<QueueName, Queue>()
const workers: Worker[] = []

/** Declares a job; its list stands in app/jobs. `every` (ms) makes it run on a timer in one worker of the instance. */
export function defineJob<P extends z.ZodType>(declaration: Omit<Job<P>, 'enqueue'>): Job<P> {
  return {
    ...declaration,
    enqueue: async (payload, { delay } = {}) => {
      const options: JobsOptions = {
        delay,
        removeOnComplete: { count: config.jobs.keep_completed },
        removeOnFail: { count: config.jobs.keep_failed }
      }
      await (await openQueue(declaration.queue)).add(declaration.name, declaration.payload.parse(payload) as object, options)
    }
  }
}

/** The queue of a name, opened on first use. */
export async function openQueue(name: QueueName): Promise<Queue> {
  // BullMQ comes in after the server listens.
  const { Queue } = await import('bullmq')
  let opened = queues.get(name)
  if (!opened) {
    opened = new Queue(name, { connection: createRedisConnection({ maxRetriesPerRequest: 1 }), prefix: `${config.redis.prefix}:queue` })
    opened.on('error', error => logger.warn('A queue is not reachable', { queue: name, reason: error.message }))
    queues.set(name, opened)
  }
  return opened
}

/** Starts workers for the given jobs. Refuses a name declared twice. */
export async function startWorkers(jobs: Job[]): Promise<void> {
  const { Worker } = await import('bullmq')
  const byName = new Map<string, Job>()
  for (const one of jobs) {
    if (byName.has(one.name)) throw new Error(`The job ${one.name} is declared twice`)
    byName.set(one.name, one)
  }
  for (const name of new Set(jobs.map(one => one.queue))) {
    const worker = new Worker(name, async (bullJob, _token, signal) => await work(byName, bullJob, signal), {
      connection: createRedisConnection({ maxRetriesPerRequest: null }),
      prefix: `${config.redis.prefix}:queue`,
      concurrency: name === 'transcoding' ? config.transcoding.max_begun : name === 'federation' ? config.federation.crawl.concurrency : 1,
      lockDuration: config.jobs.lock_duration
    })
    worker.on('error', error => logger.warn('A worker has trouble', { queue: name, reason: error.message }))
    worker.on('failed', (bullJob, error) =>
      logger.error('A job failed', { job: bullJob?.name, id: bullJob?.id, attempt: bullJob?.attemptsMade, error })
    )
    workers.push(worker)
  }
  await scheduleTimers(jobs)
  watching = setInterval(
    () =>
      void scheduleTimers(jobs, { missing: true }).catch(error =>
        logger.warn('Timers cannot be looked after', { reason: (error as Error).message })
      ),
    config.jobs.timers_interval
  )
}

/**
 * Puts the timers of repeating jobs into Redis; `missing`: only those that are not there or stand still, as Redis may have been wiped, also
 * in the middle of one.
 */
async function scheduleTimers(jobs: Job[], { missing = false } = {}): Promise<void> {
  for (const one of jobs) {
    if (!one.every || (missing && (await isTicking(one)))) continue
    await (
      await openQueue(one.queue)
    ).upsertJobScheduler(
      one.name,
      { every: Math.max(one.every(), 100) },
      { name: one.name, data: {}, opts: { removeOnComplete: true, removeOnFail: true } }
    )
  }
}

/** Also one whose next time lies further ahead than it repeats stands still: the clock was put back. */
async function isTicking({ name, queue: place, every }: Job): Promise<boolean> {
  const next = (await (await openQueue(place)).getJobScheduler(name))?.next ?? 0
  const ahead = next - Date.now()
  return ahead > -config.jobs.timers_interval && ahead < config.jobs.timers_interval + every!()
}

let watching: NodeJS.Timeout | undefined
const running = new Set<AbortController>()

/** Asks running jobs to stop, waits for them, and closes workers and queues. */
export async function stopWorkers(): Promise<void> {
  clearInterval(watching)
  for (const controller of running) controller.abort()
  await Promise.all(workers.splice(0).map(async worker => await withinShutdownTimeout(worker.close())))
}

/** Closes the queues this process opened. */
export async function closeQueues(): Promise<void> {
  await Promise.all([...queues.values()].map(async opened => await withinShutdownTimeout(opened.close())))
  queues.clear()
}

async function work(byName: Map<string, Job>, bullJob: BullJob, _signal?: AbortSignal): Promise<void> {
  const declared = byName.get(bullJob.name)
  if (!declared) throw new Error(`No handler for the job ${bullJob.name}`)
  const controller = new AbortController()
  running.add(controller)
  try {
    await declared.run(declared.payload.parse(bullJob.data), {
      signal: controller.signal,
      progress: percent => {
        void bullJob.updateProgress(Math.round(percent)).catch(() => undefined)
      }
    })
  } finally {
    running.delete(controller)
  }
}

/** What a queue says of itself; `otherwise` without Redis, for which BullMQ would wait. */
export async function readFromQueue<T>(
  name: Parameters<typeof openQueue>[0],
  ask: (opened: Awaited<ReturnType<typeof openQueue>>) => Promise<T>,
  otherwise: T
): Promise<T> {
  if (redis.status !== 'ready') return otherwise
  return await openQueue(name)
    .then(ask)
    .catch(() => otherwise)
}

/** Waits for what needs Redis to end, but not for ever, and not at all where Redis is gone: BullMQ would. */
export async function withinShutdownTimeout(ending: Promise<unknown>): Promise<void> {
  ending.catch(() => undefined)
  if (redis.status !== 'ready') return
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    ending.catch(() => undefined),
    new Promise(resolve => {
      timer = setTimeout(resolve, config.http.shutdown_timeout)
    })
  ])
  clearTimeout(timer)
}
