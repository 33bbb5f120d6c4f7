import { setTimeout as sleep } from 'node:timers/promises'
import type { Job as BullJob, JobsOptions, Queue, Worker } from 'bullmq'
import type { z } from 'zod'
import { config } from './config.ts'
import { logger } from './logger.ts'
import { createRedisConnection, isRedisReady, nonBlockingOptions, redisUnavailable } from './redis.ts'

/** Queues by kind of work, each with its own number of workers. */
export const QUEUE_NAMES = ['transcoding', 'maintenance', 'federation'] as const
/** The name of a queue. */
export type QueueName = (typeof QUEUE_NAMES)[number]

/** The context of a running job: `progress` reports 0 to 100, `signal` aborts when the process stops. */
export type JobContext = { progress(percent: number): void; signal: AbortSignal }

/** A declared job. */
export type Job<P extends z.ZodType = z.ZodType> = {
  name: string
  queue: QueueName
  payload: P
  every?: () => number
  run: (payload: z.output<P>, run: JobContext) => Promise<void>
  /** Adds the job to its queue, to run after `delay` ms. Throws 503 at once while Redis is away. */
  enqueue(payload: z.input<P>, options?: { delay?: number }): Promise<void>
}

const jobNames = new Set<string>()
const queues = new Map<QueueName, Queue>()
const workers: Worker[] = []

/** Declares a job; all jobs are listed in app/jobs. `every` (ms) repeats it on a timer, in one worker of the instance at a time. */
export function defineJob<P extends z.ZodType>(declaration: Omit<Job<P>, 'enqueue'>): Job<P> {
  jobNames.add(declaration.name)
  return {
    ...declaration,
    enqueue: async (payload, { delay } = {}) => {
      const options: JobsOptions = {
        delay,
        removeOnComplete: { count: config.jobs.keep_completed },
        removeOnFail: { count: config.jobs.keep_failed }
      }
      const data = declaration.payload.parse(payload) as object
      if (!isRedisReady()) throw redisUnavailable()
      await withinCommandTimeout(openQueue(declaration.queue).then(async queue => await queue.add(declaration.name, data, options)))
    }
  }
}

/** Returns the names of all jobs of the process. */
export function declaredJobNames(): string[] {
  return [...jobNames]
}

/** Returns the queue with this name and opens it at first use. */
export async function openQueue(name: QueueName): Promise<Queue> {
  // BullMQ is imported lazily so that the server listens sooner.
  const { Queue } = await import('bullmq')
  let opened = queues.get(name)
  if (!opened) {
    opened = new Queue(name, { connection: createRedisConnection(nonBlockingOptions()), prefix: `${config.redis.prefix}:queue` })
    opened.on('error', error => logQueueError(name, error))
    queues.set(name, opened)
  }
  return opened
}

/** Errors of the connection are logged where it was made (core/redis). */
function logQueueError(queue: QueueName, error: NodeJS.ErrnoException): void {
  logger.log(error.syscall === undefined ? 'warn' : 'debug', 'A queue has trouble', { queue, error })
}

/** Starts one worker per queue for the given jobs. Throws for a job name that is declared twice. */
export async function startWorkers(jobs: Job[]): Promise<void> {
  const { Worker } = await import('bullmq')
  const byName = new Map<string, Job>()
  for (const one of jobs) {
    if (byName.has(one.name)) throw new Error(`The job ${one.name} is declared twice`)
    byName.set(one.name, one)
  }
  for (const name of new Set(jobs.map(one => one.queue))) {
    const worker = new Worker(name, async (bullJob, _token, signal) => await runJob(byName, bullJob, signal), {
      connection: createRedisConnection({ maxRetriesPerRequest: null }),
      prefix: `${config.redis.prefix}:queue`,
      concurrency: name === 'transcoding' ? config.transcoding.max_begun : name === 'federation' ? config.federation.crawl.concurrency : 1,
      lockDuration: config.jobs.lock_duration
    })
    worker.on('error', error => logQueueError(name, error))
    worker.on('failed', (bullJob, error) =>
      logger.error('A job failed', { job: bullJob?.name, id: bullJob?.id, attempt: bullJob?.attemptsMade, error })
    )
    workers.push(worker)
  }
  await removeUndeclaredTimers(jobs)
  await scheduleTimers(jobs)
  timerCheck = setInterval(
    () => void scheduleTimers(jobs, { missing: true }).catch(error => logger.warn('Timers cannot be looked after', { error })),
    config.jobs.timers_interval
  )
}

/**
 * Stores the timers of repeating jobs in Redis; with `missing` only those that are absent or stopped, as Redis may have been wiped at any
 * moment, even during a run.
 */
async function scheduleTimers(jobs: Job[], { missing = false } = {}): Promise<void> {
  for (const one of jobs) {
    if (!one.every || (missing && (await isTimerRunning(one)))) continue
    await (
      await openQueue(one.queue)
    ).upsertJobScheduler(
      one.name,
      { every: Math.max(one.every(), 100) },
      { name: one.name, data: {}, opts: { removeOnComplete: true, removeOnFail: true } }
    )
  }
}

/** Removes the timers of jobs that were renamed or removed since an earlier version: nothing could run them. */
async function removeUndeclaredTimers(jobs: Job[]): Promise<void> {
  for (const name of new Set(jobs.map(one => one.queue))) {
    const declared = new Set(jobs.filter(one => one.queue === name && one.every).map(one => one.name))
    const opened = await openQueue(name)
    for (const { key } of await opened.getJobSchedulers()) if (!declared.has(key)) await opened.removeJobScheduler(key)
  }
}

/** Whether the timer of a job runs. One whose next run lies further ahead than its interval has stopped: the clock was put back. */
async function isTimerRunning({ name, queue, every }: Job): Promise<boolean> {
  const next = (await (await openQueue(queue)).getJobScheduler(name))?.next ?? 0
  const untilNext = next - Date.now()
  return untilNext > -config.jobs.timers_interval && untilNext < config.jobs.timers_interval + every!()
}

let timerCheck: NodeJS.Timeout | undefined
const runningControllers = new Set<AbortController>()

/** Aborts running jobs, waits for them at most `http.shutdown_timeout`, and closes the workers. */
export async function stopWorkers(): Promise<void> {
  clearInterval(timerCheck)
  for (const controller of runningControllers) controller.abort()
  await Promise.all(workers.splice(0).map(async worker => await withinShutdownTimeout(worker.close())))
}

/** Closes the queues that this process opened. */
export async function closeQueues(): Promise<void> {
  await Promise.all([...queues.values()].map(async opened => await withinShutdownTimeout(opened.close())))
  queues.clear()
}

async function runJob(byName: Map<string, Job>, bullJob: BullJob, _signal?: AbortSignal): Promise<void> {
  const job = byName.get(bullJob.name)
  if (!job) throw new Error(`No handler for the job ${bullJob.name}`)
  const controller = new AbortController()
  runningControllers.add(controller)
  try {
    await job.run(job.payload.parse(bullJob.data), {
      signal: controller.signal,
      progress: percent => {
        void bullJob.updateProgress(Math.round(percent)).catch(() => undefined)
      }
    })
  } finally {
    runningControllers.delete(controller)
  }
}

/** A queue that is opened waits for its connection, which Redis may accept and not answer. */
async function withinCommandTimeout(command: Promise<unknown>): Promise<void> {
  command.catch(() => undefined)
  const timeout = new AbortController()
  const timedOut = sleep(2 * config.redis.command_timeout, undefined, { signal: timeout.signal }).then(() => {
    throw redisUnavailable()
  })
  timedOut.catch(() => undefined)
  try {
    await Promise.race([command, timedOut])
  } finally {
    timeout.abort()
  }
}

/** Reads from a queue; returns `otherwise` without Redis, for which BullMQ would wait. */
export async function readFromQueue<T>(
  name: Parameters<typeof openQueue>[0],
  read: (opened: Awaited<ReturnType<typeof openQueue>>) => Promise<T>,
  otherwise: T
): Promise<T> {
  if (!isRedisReady()) return otherwise
  return await openQueue(name)
    .then(read)
    .catch(() => otherwise)
}

/** Waits at most `http.shutdown_timeout` for an end that needs Redis, and not at all without Redis, where BullMQ would wait forever. */
export async function withinShutdownTimeout(ending: Promise<unknown>): Promise<void> {
  ending.catch(() => undefined)
  if (!isRedisReady()) return
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    ending.catch(() => undefined),
    new Promise(resolve => {
      timer = setTimeout(resolve, config.http.shutdown_timeout)
    })
  ])
  clearTimeout(timer)
}
