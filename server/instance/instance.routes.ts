import { instance } from '../../shared/instance.ts'
import { paging } from '../core/paging.ts'
import { implement } from '../core/route.ts'
import { countWaiting } from '../fediverse/federation-counts.query.ts'
import { listJobs, pauseJobs } from './jobs.ts'
import { about, settings } from './server-config.ts'
import { statistics } from './statistics.query.ts'

/** What the instance says of itself, its numbers, health and jobs. */
export const instanceRoutes = implement(instance, {
  'GET /ping': ({ response }) => {
    response.type('html').send('pong')
    return 'pong' as const
  },
  'GET /config': async () => await settings(),
  'GET /config/about': async () => await about(),
  'GET /server/stats': async () => await statistics(),
  // Nothing federated waits: this version takes no messages.
  'GET /server/debug': async ({ request }) => {
    const waiting = await countWaiting()
    return { ip: request.ip ?? '', activityPubMessagesWaiting: waiting.incoming.waiting, ...waiting }
  },
  'GET /jobs': async ({ query: { jobType, sort, ...rest } }) => await listJobs({ ...paging(rest), jobType, sort }),
  'GET /jobs/:state': async ({ params, query: { jobType, sort, ...rest } }) =>
    await listJobs({ ...paging(rest), state: params.state, jobType, sort }),
  'POST /jobs/pause': async () => await pauseJobs(true),
  'POST /jobs/resume': async () => await pauseJobs(false)
})
