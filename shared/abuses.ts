import { z } from 'zod'
import { Account, ActorSummary } from './actors.ts'
import { defineContract } from './contract.ts'
import { IdParam, int, arrayParam, resultList, Paging, Timestamp } from './fields.ts'
import { VideoId } from './videos.ts'

/** What a report may say besides words. */
export const ABUSE_PREDEFINED_REASONS = [
  'violentOrRepulsive',
  'hatefulOrAbusive',
  'spamOrMisleading',
  'privacy',
  'rights',
  'serverRules',
  'thumbnails',
  'captions'
] as const
const Reason = z.enum(ABUSE_PREDEFINED_REASONS, 'Invalid value')
/** 1 pending, 2 rejected, 3 accepted. */
const State = int(1, 3)
const Words = z.string('Invalid value').trim().min(2, 'Invalid value').max(3000, 'Invalid value')
const Second = int(0, 2 ** 31 - 1)
const Number = int(1, 2 ** 31 - 1)
const Search = z.string().max(200).optional()

/** A report as whoever made it sees it. */
export const UserAbuse = z.object({
  id: z.int(),
  reason: z.string(),
  predefinedReasons: z.array(Reason),
  flaggedAccount: Account.nullable(),
  state: z.object({ id: z.int(), label: z.string() }),
  countMessages: z.int(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  video: z
    .object({
      id: z.int().nullable(),
      uuid: z.string(),
      name: z.string(),
      nsfw: z.boolean(),
      startAt: z.int().nullable(),
      endAt: z.int().nullable(),
      deleted: z.boolean(),
      blacklisted: z.boolean(),
      thumbnailPath: z.string().nullable(),
      channel: ActorSummary.extend({ isLocal: z.boolean() }).nullable(),
      countReports: z.int().optional(),
      nthReport: z.int().optional()
    })
    .nullable(),
  comment: z
    .object({
      id: z.int().nullable(),
      threadId: z.int().nullable(),
      text: z.string(),
      deleted: z.boolean(),
      video: z.object({ id: z.int(), uuid: z.string(), name: z.string() }).nullable()
    })
    .nullable()
})
/** A report as moderators see it: by whom, against whom, about what, and what became of it. */
export const AdminAbuse = UserAbuse.extend({
  moderationComment: z.string().nullable(),
  reporterAccount: Account.nullable(),
  countReportsForReporter: z.int(),
  countReportsForReportee: z.int()
})
export type AdminAbuse = z.output<typeof AdminAbuse>
/** What one of the two sides says about a report. */
export const AbuseMessage = z.object({
  id: z.int(),
  createdAt: Timestamp,
  byModerator: z.boolean(),
  message: z.string(),
  account: ActorSummary.nullable()
})
export type AbuseMessage = z.output<typeof AbuseMessage>
export type UserAbuse = z.output<typeof UserAbuse>

/** Bodies have numbers where addresses have digits. */
const AnyVideoId = z.preprocess(value => (typeof value === 'number' ? String(value) : value), VideoId)

const Listed = Paging.extend({
  id: Number.optional(),
  state: State.optional(),
  search: Search,
  sort: z.enum(['id', '-id', 'createdAt', '-createdAt', 'state', '-state'], 'Invalid value').optional()
})

/** Reports to the moderators. */
export const abusesContract = defineContract({
  'POST /abuses': {
    summary: 'Report a video, a comment or an account',
    description: 'If it is of another server, the moderators there are told too.',
    tag: 'Abuses',
    auth: 'user',
    body: z.object({
      reason: Words,
      predefinedReasons: arrayParam(Reason, ABUSE_PREDEFINED_REASONS.length).optional(),
      video: z.object({ id: AnyVideoId, startAt: Second.optional(), endAt: Second.optional() }).optional(),
      comment: z.object({ id: Number }).optional(),
      account: z.object({ id: Number }).optional()
    }),
    response: z.object({ abuse: z.object({ id: z.int() }) }),
    refusals: { 400: 'Nothing is named, or more than one thing' }
  },
  'GET /abuses': {
    summary: 'What was reported',
    tag: 'Abuses',
    auth: 'moderator',
    query: Listed.extend({
      predefinedReason: Reason.optional(),
      searchReporter: Search,
      searchReportee: Search,
      searchVideo: Search,
      searchVideoChannel: Search,
      videoIs: z.enum(['deleted', 'blacklisted'], 'Invalid value').optional(),
      filter: z.enum(['video', 'comment', 'account'], 'Invalid value').optional()
    }),
    response: resultList(AdminAbuse)
  },
  'PUT /abuses/:id': {
    summary: 'Decide about a report',
    tag: 'Abuses',
    auth: 'moderator',
    params: IdParam,
    body: z.object({ state: State.optional(), moderationComment: Words.optional() })
  },
  'DELETE /abuses/:id': { summary: 'Delete a report', tag: 'Abuses', auth: 'moderator', params: IdParam },
  'GET /abuses/:id/messages': {
    summary: 'What moderators and the reporter said to each other',
    tag: 'Abuses',
    auth: 'user',
    params: IdParam,
    response: resultList(AbuseMessage)
  },
  'POST /abuses/:id/messages': {
    summary: 'Write about a report to the moderators, or to the reporter',
    tag: 'Abuses',
    auth: 'user',
    params: IdParam,
    body: z.object({ message: Words }),
    response: z.object({ abuseMessage: z.object({ id: z.int() }) }),
    refusals: { 400: 'The reporter is of another server', 409: 'There are too many' }
  },
  'DELETE /abuses/:id/messages/:messageId': {
    summary: 'Delete a message',
    tag: 'Abuses',
    auth: 'user',
    params: IdParam.extend({ messageId: Number })
  },
  'GET /users/me/abuses': { summary: 'What I reported', tag: 'Abuses', auth: 'user', query: Listed, response: resultList(UserAbuse) }
})
