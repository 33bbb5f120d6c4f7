import { abusesContract } from '../../shared/abuses.ts'
import { implementContract } from '../core/route.ts'
import { videoRequestContext } from '../videos/videos.routes.ts'
import { decideAbuse, deleteAbuse, reportAbuse } from './abuses.ts'
import { listAbuses, listMyAbuses } from './abuses.query.ts'
import { deleteAbuseMessage, listAbuseMessages, addAbuseMessage } from './abuse-messages.ts'

/** The routes of shared/abuses.ts. */
export const abusesRoutes = implementContract(abusesContract, {
  'POST /abuses': async ({ body, viewer, request }) => ({
    abuse: { id: await reportAbuse(body, viewer, videoRequestContext(request, viewer)) }
  }),
  'GET /abuses': async ({ query, viewer }) => await listAbuses(query, viewer),
  'PUT /abuses/:id': async ({ params, body }) => await decideAbuse(params.id, body),
  'DELETE /abuses/:id': async ({ params }) => await deleteAbuse(params.id),
  'GET /abuses/:id/messages': async ({ params, viewer }) => await listAbuseMessages(params.id, viewer),
  'POST /abuses/:id/messages': async ({ params, body, viewer }) => ({
    abuseMessage: { id: await addAbuseMessage(params.id, viewer, body.message) }
  }),
  'DELETE /abuses/:id/messages/:messageId': async ({ params, viewer }) => await deleteAbuseMessage(params.id, params.messageId, viewer),
  'GET /users/me/abuses': async ({ query, viewer }) => await listMyAbuses(query, viewer.accountId)
})
