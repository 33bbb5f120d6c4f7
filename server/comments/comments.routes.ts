import { Router, type Request } from 'express'
import { commentsContract } from '../../shared/comments.ts'
import { longUuid, shortUuid } from '../../shared/short-uuid.ts'
import { instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { paging } from '../core/paging.ts'
import { notFound, Problem } from '../core/problem.ts'
import { implementContract, type Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { sendActivityPubDocument, sendOrderedCollection, acceptsActivityPub } from '../actors/activitypub-response.ts'
import { hostOfKeyId, verifyHttpSignature } from '../fediverse/http-signature.ts'
import { hostOf, sameOrigin } from '../fediverse/origin.ts'
import { headersAsSent } from '../fediverse/rewritten-host.ts'
import { RejectedRequestError } from '../fediverse/rejected-request.ts'
import { withContext } from '../fediverse/jsonld-context.ts'
import { isVideoServedToPeers } from '../videos/local-video.query.ts'
import { assertCanWatchVideo, findVideoAccessInfo } from '../videos/video-access.ts'
import { buildCommentNote } from './comment.outbox.ts'
import { findCommentRow, type CommentRow } from './comment.row.ts'
import { findAccount } from '../actors/accounts.query.ts'
import { removeCommentsOf } from './comment-removals.ts'
import { addComment, approveComment, deleteComment } from './comments.ts'
import {
  findComment,
  findCommentTree,
  listAllComments,
  listCommentsOnOwnVideos,
  listCommentThreads,
  listPublicCommentUrls,
  type CommentViewer
} from './comments.query.ts'

/** The routes of shared/comments.ts. */
export const commentsRoutes = implementContract(commentsContract, {
  'GET /videos/:id/comment-threads': async ({ params, query: { sort, ...rest }, viewer, request }) => {
    const { id, commentViewer } = await findWatchableVideo(params.id, viewer, request)
    return await listCommentThreads(id, commentViewer, { ...paging(rest), sort })
  },
  'POST /videos/:id/comment-threads': async ({ params, body, viewer, request }) => {
    const { id, commentViewer } = await findWatchableVideo(params.id, viewer, request)
    return { comment: (await findComment(await addComment({ videoId: id, parentId: null, text: body.text }, viewer), commentViewer))! }
  },
  'GET /videos/:id/comment-threads/:threadId': async ({ params, viewer, request }) => {
    const { id, commentViewer } = await findWatchableVideo(params.id, viewer, request)
    const tree = await findCommentTree(id, params.threadId, commentViewer)
    if (!tree) throw notFound('Video comment thread')
    return tree
  },
  'POST /videos/:id/comments/:commentId': async ({ params, body, viewer, request }) => {
    const { id, commentViewer } = await findWatchableVideo(params.id, viewer, request)
    return {
      comment: (await findComment(await addComment({ videoId: id, parentId: params.commentId, text: body.text }, viewer), commentViewer))!
    }
  },
  'DELETE /videos/:id/comments/:commentId': async ({ params, viewer, request }) =>
    await deleteComment((await findWatchableVideo(params.id, viewer, request)).id, params.commentId, viewer),
  'POST /videos/:id/comments/:commentId/approve': async ({ params, viewer, request }) =>
    await approveComment((await findWatchableVideo(params.id, viewer, request)).id, params.commentId, viewer),
  'GET /users/me/videos/comments': async ({ viewer, query }) => await listCommentsOnOwnVideos(viewer, { ...query, ...paging(query) }),
  'GET /videos/comments': async ({ viewer, query }) => await listAllComments(viewer, { ...query, ...paging(query) }),
  'POST /bulk/remove-comments-of': async ({ viewer, body: { accountName, scope } }) => {
    if (scope === 'instance' && viewer.role > 1)
      throw new Problem(403, null, 'Only moderators delete the comments of an account on the whole instance.')
    const { id } = await findAccount(accountName)
    await removeCommentsOf(id, { videoAccountId: scope === 'instance' ? null : viewer.accountId })
  }
})

async function findWatchableVideo(
  requestedId: number | string,
  viewer: Viewer | null,
  request: Request
): Promise<{ id: number; commentViewer: CommentViewer }> {
  const video = await findVideoAccessInfo(requestedId)
  await assertCanWatchVideo(video, requestedId, {
    viewer,
    password: request.headers['x-peertube-video-password'] as string | undefined,
    ip: request.ip
  })
  return { id: video.id, commentViewer: { viewer, ownsVideo: viewer !== null && viewer.id === video.ownerUserId } }
}

/** Serves local comments, their approvals and their tombstones as ActivityPub documents. */
export const commentDocumentsRouter = Router()
commentDocumentsRouter.get('/videos/watch/:uuid/comments/:id{/:part}', limitRate('activity_pub'), async (request, response, next) => {
  const { uuid, id, part } = request.params as { uuid: string; id: string; part?: string }
  if (!acceptsActivityPub(request)) {
    if (part !== undefined) return next()
    response.setHeader('Vary', 'Accept')
    return response.redirect(302, await commentPagePath(uuid, id))
  }
  const url = `${instanceOrigin()}/videos/watch/${uuid}/comments/${id}`
  const row = await findCommentRow(
    part === 'approve-reply' ? sql`comment.reply_approval = ${`${url}/approve-reply`}` : sql`comment.url = ${url} AND NOT comment.remote`
  )
  // That a comment is held is not revealed (docs/federation.md#hidden-objects), except to the origin that has to judge it.
  if (!row || !isFederated(row) || (row.held && !(await isRequestedByOriginOfVideo(request, row)))) throw notFound('Video comment')
  if (row.held) response.setHeader('Cache-Control', 'private, no-store')
  if (part === 'replies' && !row.held)
    return await sendOrderedCollection(
      request,
      response,
      `${row.url}/replies`,
      async (start, count) => await listPublicCommentUrls(sql`comment.parent_id = ${row.id}`, { start, count })
    )
  const document = await buildCommentDocument(row, part)
  if (!document) throw notFound('Video comment')
  sendActivityPubDocument(response, document)
})

commentDocumentsRouter.get('/w/:id', limitRate('activity_pub'), async (request, response, next) => {
  const [, videoId, threadId] = THREAD_PATH_PART.exec(String(request.params.id)) ?? []
  if (videoId === undefined || !acceptsActivityPub(request)) return next()
  const uuid = longUuid(videoId)
  const row = uuid === null ? null : await findCommentRow(sql`comment.id = ${Number(threadId)} AND video.uuid = ${uuid}`)
  if (!row || !isFederated(row) || row.held) throw notFound('Video comment')
  response.setHeader('Vary', 'Accept')
  response.redirect(302, row.url)
})

/** The part of a path that names a video and one of its threads, as PeerTube's clients write it. */
const THREAD_PATH_PART = /^([^;]+);threadId=([1-9]\d{0,8})$/

/** The path of the page of a local video, with the comment if everyone may see it. */
async function commentPagePath(videoId: string, id: string): Promise<string> {
  const uuid = longUuid(videoId)
  if (!uuid) return `/videos/watch/${encodeURIComponent(videoId)}`
  const row = await findCommentRow(sql`comment.url = ${`${instanceOrigin()}/videos/watch/${uuid}/comments/${id}`}`)
  const page = `/w/${shortUuid(uuid)}`
  return row && isFederated(row) && !row.held ? `${page}?threadId=${row.thread_id ?? row.id}#comment-${row.id}` : page
}

/** Whether other servers may know of a comment: not below a video here that they may not see. */
const isFederated = ({ video_remote, video_privacy, video_state }: CommentRow) =>
  video_remote || isVideoServedToPeers({ privacy: video_privacy, state: video_state })

/** Whether a request is signed by the owner of the remote video that a comment is below, or by the instance actor of its server. */
async function isRequestedByOriginOfVideo(request: Request, { video_remote, video_url, owner }: CommentRow): Promise<boolean> {
  if (!video_remote) return false
  const { method, originalUrl: path } = request
  const headers = headersAsSent(request)
  try {
    // No key of another server is fetched.
    if (hostOfKeyId(headers) !== hostOf(video_url)) return false
    const { actor } = await verifyHttpSignature({ method, path, headers })
    if (!sameOrigin(actor, video_url)) return false
    return actor === owner || (await runQuery(sql`SELECT 1 FROM actors WHERE url = ${actor} AND type = 'Application'`)).length > 0
  } catch (error) {
    if (error instanceof RejectedRequestError) return false
    throw error
  }
}

async function buildCommentDocument(row: CommentRow, part: string | undefined): Promise<object | null> {
  if (part === 'approve-reply')
    return withContext('approval', {
      type: 'ApproveReply',
      id: row.reply_approval,
      actor: row.owner,
      inReplyTo: row.parent_url ?? row.video_url,
      object: row.url
    })
  if (row.deleted_at) {
    return part === undefined
      ? withContext('base', {
          id: row.url,
          type: 'Tombstone',
          formerType: 'Note',
          inReplyTo: row.parent_url ?? row.video_url,
          published: row.created_at.toISOString(),
          updated: row.updated_at.toISOString(),
          deleted: row.deleted_at.toISOString()
        })
      : null
  }
  const note = await buildCommentNote(row)
  if (part === undefined) return withContext('comment', note)
  return part === 'activity'
    ? withContext('comment', { to: note.to, cc: note.cc, type: 'Create', id: `${row.url}/activity`, actor: row.author, object: note })
    : null
}
