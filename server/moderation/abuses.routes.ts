import { abuses } from '../../shared/abuses.ts'
import { implement } from '../core/route.ts'
import { asking } from '../videos/videos.routes.ts'
import { decideAbuse, deleteAbuse, reportAbuse } from './abuses.ts'
import { listAbuses, listMyAbuses } from './abuses.query.ts'
import { deleteMessage, listMessages, sayMessage } from './abuse-messages.ts'

/** Reports to the moderators. */
export const abusesRoutes = implement(abuses, {
  'POST /abuses': async ({ body, viewer, request }) => ({ abuse: { id: await reportAbuse(body, viewer, asking(request, viewer)) } }),
  'GET /abuses': async ({ query }) => await listAbuses(query),
  'PUT /abuses/:id': async ({ params, body }) => await decideAbuse(params.id, body),
  'DELETE /abuses/:id': async ({ params }) => await deleteAbuse(params.id),
  'GET /abuses/:id/messages': async ({ params, viewer }) => await listMessages(params.id, viewer),
  'POST /abuses/:id/messages': async ({ params, body, viewer }) => ({
    abuseMessage: { id: await sayMessage(params.id, viewer, body.message) }
  }),
  'DELETE /abuses/:id/messages/:messageId': async ({ params, viewer }) => await deleteMessage(params.id, params.messageId, viewer),
  'GET /users/me/abuses': async ({ query, viewer }) => await listMyAbuses(query, viewer.accountId)
})
