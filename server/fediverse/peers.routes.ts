import { federationContract } from '../../shared/federation.ts'
import { paging } from '../core/paging.ts'
import { notFound } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
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
    if (!(await resyncPeer(params.host.toLowerCase(), body?.since ? new Date(body.since) : undefined))) throw notFound('Server')
  }
})
