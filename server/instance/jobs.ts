import type { Job, JobState as BullState, Queue } from 'bullmq'
import type { z } from 'zod'
import type { instanceContract } from '../../shared/instance.ts'
import { declaredJobNames, openQueue, QUEUE_NAMES } from '../core/job.ts'
import { invalidParams } from '../core/problem.ts'
import { FEDERATION_JOB_STATES, findFederationJobDetails, findFederationJobs, type FederationJobRef } from './federation-jobs.query.ts'

type JobPage = z.output<(typeof instanceContract)['GET /jobs']['response']>
type ListedState = z.output<(typeof instanceContract)['GET /jobs/:state']['params']>['state']

const LISTED_STATES: ListedState[] = ['active', 'completed', 'failed', 'waiting', 'delayed', 'paused', 'waiting-children', 'prioritized']

/** Filters of the job list: by state and type if given; newest first by default. */
export type JobFilters = { start: number; count: number; state?: ListedState; jobType?: string; sort?: 'createdAt' | '-createdAt' }

/** Types of PeerTube's jobs; its clients ask for them, and there are none of them here. */
const PEERTUBE_JOB_TYPES = [
  'activitypub-follow',
  'activitypub-http-broadcast',
  'activitypub-http-broadcast-parallel',
  'activitypub-http-fetcher',
  'activitypub-http-unicast',
  'activitypub-refresher',
  'email',
  'federate-video',
  'generate-video-storyboard',
  'transcoding-job-builder',
  'video-channel-import',
  'video-file-import',
  'video-import',
  'video-live-ending',
  'video-redundancy',
  'video-transcoding',
  'videos-views-stats'
]

/** The one timer that PeerTube lists as a delayed job: its clients expect it, and no other, where nothing is to be done. */
const LISTED_TIMER = 'videos-views-stats'

/**
 * Lists the jobs of all queues, and what the federation has still to do, as PeerTube's clients read them: where nothing is waiting, active or
 * delayed but the timer of views, the instance is at rest. Other timers that wait for their next run are no jobs. Throws 400 for
 * a type that neither they nor this server know.
 */
export async function listJobs({ start, count, state, jobType, sort = '-createdAt' }: JobFilters): Promise<JobPage> {
  if (jobType !== undefined && !PEERTUBE_JOB_TYPES.includes(jobType) && !declaredJobNames().includes(jobType))
    throw invalidParams([{ type: 'field', value: jobType, msg: 'Invalid value', path: 'jobType', location: 'query' }])
  const jobs = (
    await Promise.all(QUEUE_NAMES.map(async name => await findJobs(await openQueue(name), state ? [state] : LISTED_STATES)))
  ).flat()
  const queued = jobs.filter(({ job, state }) => (!jobType || job.name === jobType) && !(state === 'delayed' && isHiddenTimer(job)))
  const ascending = sort === 'createdAt'
  const pending = await findFederationJobs(
    { states: FEDERATION_JOB_STATES.filter(one => state === undefined || one === state), jobType },
    { limit: start + count, ascending }
  )
  const all = [
    ...queued.map(entry => ({ ...entry, createdAt: entry.job.timestamp, order: Number(entry.job.id) })),
    ...pending.jobs.map(ref => ({ ref, createdAt: ref.createdAt.getTime(), order: NaN }))
  ]
  all.sort((a, b) => (ascending ? 1 : -1) * (a.createdAt - b.createdAt || a.order - b.order || 0))
  const data = await Promise.all(
    all
      .slice(start, start + count)
      .map(async entry => ('ref' in entry ? await serializeFederationJob(entry.ref) : serializeJob(entry.job, entry.state)))
  )
  return { total: queued.length + pending.total, data: data.filter(one => one !== null) }
}

/** Pauses or resumes all queues in every process; running jobs continue. */
export async function setJobsPaused(paused: boolean): Promise<void> {
  await Promise.all(
    QUEUE_NAMES.map(async name => {
      const opened = await openQueue(name)
      await (paused ? opened.pause() : opened.resume())
    })
  )
}

async function findJobs(queue: Queue, states: ListedState[]): Promise<{ job: Job; state: ListedState }[]> {
  const isPaused = await queue.isPaused()
  const lists = await Promise.all(
    states.map(async state => {
      // Waiting jobs of a paused queue have the state "paused" in the response.
      if (state === (isPaused ? 'waiting' : 'paused')) return []
      const jobs = await queue.getJobs((state === 'paused' ? 'waiting' : state) as BullState)
      return jobs.map(job => ({ job, state }))
    })
  )
  return lists.flat()
}

/** Whether a job is the next run of a timer that is not listed. */
function isHiddenTimer({ name, repeatJobKey }: Job): boolean {
  return Boolean(repeatJobKey) && name !== LISTED_TIMER
}

async function serializeFederationJob(ref: FederationJobRef): Promise<JobPage['data'][number] | null> {
  const details = await findFederationJobDetails(ref)
  return (
    details && {
      id: `${ref.kind}-${ref.key}`,
      state: ref.state,
      type: ref.type,
      progress: 0,
      createdAt: ref.createdAt.toISOString(),
      finishedOn: null,
      ...details
    }
  )
}

function serializeJob(job: Job, state: ListedState): JobPage['data'][number] {
  return {
    id: job.id!,
    state,
    type: job.name,
    data: job.data,
    ...(job.opts.priority ? { priority: job.opts.priority } : {}),
    progress: typeof job.progress === 'number' ? job.progress : 0,
    error: job.stacktrace?.at(-1) ?? job.failedReason ?? null,
    createdAt: new Date(job.timestamp).toISOString(),
    processedOn: isoDate(job.processedOn),
    finishedOn: isoDate(job.finishedOn)
  }
}

function isoDate(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}
