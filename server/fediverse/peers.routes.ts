import { federationContract } from '../../shared/federation.ts'
import { paging } from '../core/paging.ts'
import { notFound } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
import { listIneffectiveActivities, reprocessActivity } from './ineffective-activities.ts'
import { listUnsendableActivities, retryUnsendableActivities } from './unsendable-activities.ts'
import { listPeers, resyncPeer, retryPeer } from './peers.ts'

/** The administrator's view of other servers. */
export const peersRoutes = implementContract(federationContract, {
  'GET /server/peers': async ({ query }) => {
    const { start, count } = paging(query)
    return await listPeers(start, count)
  },
  'POST /server/peers/:host/retry': async ({ params }) => {
    if (!(await retryPeer(params.host.toLowerCase()))) throw notFound('Server')
  },
  'POST /server/peers/:host/resync': async ({ params, body }) => {
    if (!(await resyncPeer(params.host.toLowerCase(), body?.since))) throw notFound('Server')
  },
  'GET /server/ineffective-activities': async ({ query }) => {
    const { start, count } = paging(query)
    return await listIneffectiveActivities(start, count, query.host)
  },
  'POST /server/ineffective-activities/:id/process': async ({ params }) => {
    if (!(await reprocessActivity(params.id))) throw notFound('Activity')
  },
  'GET /server/unsendable-activities': async ({ query }) => {
    const { start, count } = paging(query)
    return await listUnsendableActivities(start, count)
  },
  'POST /server/unsendable-activities/retry': async ({ body }) => {
    if ((await retryUnsendableActivities(body?.id ?? null)) === 0) throw notFound('Activity')
  }
})
