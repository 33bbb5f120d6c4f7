import { instanceContract } from '../../shared/instance.ts'
import { paging } from '../core/paging.ts'
import { logger, loggedIp } from '../core/logger.ts'
import { implementContract } from '../core/route.ts'
import { countPendingActivities } from '../fediverse/federation-counts.query.ts'
import { runDebugCommand } from './debug-commands.ts'
import { listJobs, setJobsPaused } from './jobs.ts'
import { getAbout, getServerConfig } from './server-config.ts'
import { getServerStatistics } from './statistics.query.ts'

/** Routes of the instance: configuration for clients, about, statistics, debug and jobs. */
export const instanceRoutes = implementContract(instanceContract, {
  'GET /ping': ({ response }) => {
    response.type('html').send('pong')
    return 'pong' as const
  },
  'GET /config': async () => await getServerConfig(),
  'GET /config/about': async () => await getAbout(),
  'GET /server/stats': async () => await getServerStatistics(),
  'GET /server/debug': async ({ request }) => {
    const waiting = await countPendingActivities()
    return { ip: request.ip ?? '', activityPubMessagesWaiting: waiting.incoming.waiting, ...waiting }
  },
  'POST /server/debug/run-command': async ({ body }) => await runDebugCommand(body.command),
  'POST /server/logs/client': ({ body: { level, ...report }, request }) => {
    logger.log(level, 'A client reports an error', { report, ip: loggedIp(request.ip) })
  },
  'POST /metrics/playback': () => undefined,
  'GET /jobs': async ({ query: { jobType, sort, ...rest } }) => await listJobs({ ...paging(rest), jobType, sort }),
  'GET /jobs/:state': async ({ params, query: { jobType, sort, ...rest } }) =>
    await listJobs({ ...paging(rest), state: params.state, jobType, sort }),
  'POST /jobs/pause': async () => await setJobsPaused(true),
  'POST /jobs/resume': async () => await setJobsPaused(false)
})
