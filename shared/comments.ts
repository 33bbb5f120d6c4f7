import { z } from 'zod'
import { Account, ActorHandle } from './actors.ts'
import { defineContract } from './contract.ts'
import { arrayParam, Bool, int, resultList, Paging, Timestamp } from './fields.ts'
import { VideoId, VideoParam } from './videos.ts'

/**
 * What is attached to a comment of another server. `name`: alternative text; `thumbnailPath`: a picture through our cache, null for
 * anything else.
 */
export const CommentAttachment = z.object({
  url: z.string(),
  mediaType: z.string().nullable(),
  name: z.string().nullable(),
  thumbnailPath: z.string().nullable()
})
export type CommentAttachment = z.output<typeof CommentAttachment>

/**
 * A comment; `text` is Markdown for local comments and HTML for remote ones, `html` is the rendered text, sanitised again on output. A
 * deleted comment keeps its place. `summary`: a warning of another server behind which text and attachments are folded.
 */
export const Comment = z.object({
  id: z.int(),
  url: z.string(),
  text: z.string(),
  html: z.string(),
  summary: z.string().nullable(),
  attachments: z.array(CommentAttachment),
  threadId: z.int(),
  inReplyToCommentId: z.int().nullable(),
  videoId: z.int(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  deletedAt: Timestamp.nullable(),
  heldForReview: z.boolean(),
  isDeleted: z.boolean(),
  totalRepliesFromVideoAuthor: z.int(),
  totalReplies: z.int(),
  account: Account.nullable()
})
export type Comment = z.output<typeof Comment>
/** A comment in the lists of owners and moderators, with its video. `automaticTags`: none so far. */
export const ModeratedComment = Comment.extend({
  video: z.object({ id: z.int(), uuid: z.string(), name: z.string() }),
  automaticTags: z.array(z.string())
})
export type ModeratedComment = z.output<typeof ModeratedComment>

/** A comment with its replies, recursively. */
export type CommentTree = { comment: Comment; children: CommentTree[] }
const CommentTreeSchema: z.ZodType<CommentTree> = z.object({ comment: Comment, children: z.array(z.any()) })

const RowId = int(1, 2 ** 31 - 1)
const CommentBody = z.object({ text: z.string('Invalid value').trim().min(1, 'Invalid value').max(10_000, 'Invalid value') })
const CommentParam = z.object({ id: VideoId, commentId: RowId })
const CommentResponse = z.object({ comment: Comment })
const CommentFilters = Paging.extend({
  isHeldForReview: Bool.optional(),
  search: z.string().max(200).optional().describe('In the text, the name of the account or that of the video'),
  searchAccount: z.string().max(200).optional(),
  searchVideo: z.string().max(200).optional(),
  videoId: RowId.optional(),
  videoChannelId: RowId.optional(),
  autoTagOneOf: arrayParam(z.string().max(100)).optional(),
  sort: z.enum(['createdAt', '-createdAt'], 'Invalid value').optional()
})
const REFUSALS = { 409: 'Comments are disabled for this video' } as const

/** Routes for comments. */
export const commentsContract = defineContract({
  'GET /videos/:id/comment-threads': {
    summary: 'Threads below a video',
    tag: 'Comments',
    auth: 'optional',
    params: VideoParam,
    query: Paging.extend({ sort: z.enum(['createdAt', '-createdAt', 'totalReplies', '-totalReplies'], 'Invalid value').optional() }),
    response: resultList(Comment).extend({ totalNotDeletedComments: z.int() })
  },
  'POST /videos/:id/comment-threads': {
    summary: 'Create a thread',
    tag: 'Comments',
    auth: 'user',
    params: VideoParam,
    body: CommentBody,
    response: CommentResponse,
    refusals: REFUSALS
  },
  'GET /videos/:id/comment-threads/:threadId': {
    summary: 'A thread with all replies',
    tag: 'Comments',
    auth: 'optional',
    params: z.object({ id: VideoId, threadId: RowId }),
    response: CommentTreeSchema
  },
  'POST /videos/:id/comments/:commentId': {
    summary: 'Reply to a comment',
    tag: 'Comments',
    auth: 'user',
    params: CommentParam,
    body: CommentBody,
    response: CommentResponse,
    refusals: REFUSALS
  },
  'DELETE /videos/:id/comments/:commentId': { summary: 'Delete a comment', tag: 'Comments', auth: 'user', params: CommentParam },
  'POST /videos/:id/comments/:commentId/approve': {
    summary: 'Approve a comment that is held for review',
    tag: 'Comments',
    auth: 'user',
    params: CommentParam
  },
  'GET /users/me/videos/comments': {
    summary: 'Comments below my videos',
    tag: 'Comments',
    auth: 'user',
    query: CommentFilters,
    response: resultList(ModeratedComment),
    refusals: { 403: 'The video or channel belongs to another user', 404: 'No such video or channel' }
  },
  'GET /videos/comments': {
    summary: 'Comments of this and other servers',
    tag: 'Moderation',
    auth: 'moderator',
    query: CommentFilters.extend({
      isLocal: Bool.optional().describe('Whether its author has the account here'),
      onLocalVideo: Bool.optional()
    }),
    response: resultList(ModeratedComment)
  },
  'POST /bulk/remove-comments-of': {
    summary: 'Delete all comments of an account',
    tag: 'Moderation',
    auth: 'user',
    description: 'Below the own videos, or on the whole instance (for moderators). Those that exist now; many of them take a while.',
    body: z.object({
      accountName: ActorHandle,
      scope: z.enum(['my-videos', 'instance'], 'Invalid value')
    }),
    refusals: { 403: 'Only moderators delete comments on the whole instance' }
  }
})
