import { abuses } from '../../shared/abuses.ts'
import { implement } from '../core/route.ts'
import { asking } from '../videos/videos.routes.ts'
import { decideAbuse, deleteAbuse, reportAbuse } from './abuses.ts'
import { listAbuses, listMyAbuses } from './abuses.query.ts'

/** Reports to the moderators. */
export const abusesRoutes = implement(abuses, {
  'POST /abuses': async ({ body, viewer, request }) => ({ abuse: { id: await reportAbuse(body, viewer, asking(request, viewer)) } }),
  'GET /abuses': async ({ query }) => await listAbuses(query),
  'PUT /abuses/:id': async ({ params, body }) => await decideAbuse(params.id, body),
  'DELETE /abuses/:id': async ({ params }) => await deleteAbuse(params.id),
  'GET /users/me/abuses': async ({ query, viewer }) => await listMyAbuses(query, viewer.accountId)
})
