import { z } from 'zod'
import { Account, ActorImage, ActorSummary } from './actors.ts'
import { defineContract } from './contract.ts'
import { IdParam, int, arrayParam, resultList, Paging, Timestamp } from './fields.ts'
import { VideoId } from './videos.ts'

/** The predefined reasons of a report. */
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
const AbuseState = int(1, 3)
const ReportText = z.string('Invalid value').trim().min(2, 'Invalid value').max(3000, 'Invalid value')
const Seconds = int(0, 2 ** 31 - 1)
const RowId = int(1, 2 ** 31 - 1)
const SearchText = z.string().max(200).optional()

/** A report as its reporter sees it. */
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
      channel: ActorSummary.extend({
        isLocal: z.boolean(),
        description: z.string().nullable(),
        banners: z.array(ActorImage),
        hostRedundancyAllowed: z.boolean()
      }).nullable(),
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
/** A report as moderators see it, with the reporter, the reported account and counts. */
export const AdminAbuse = UserAbuse.extend({
  moderationComment: z.string().nullable(),
  reporterAccount: Account.nullable(),
  countReportsForReporter: z.int(),
  countReportsForReportee: z.int()
})
export type AdminAbuse = z.output<typeof AdminAbuse>
/** A message about a report by a moderator or the reporter. */
export const AbuseMessage = z.object({
  id: z.int(),
  createdAt: Timestamp,
  byModerator: z.boolean(),
  message: z.string(),
  account: ActorSummary.nullable()
})
export type AbuseMessage = z.output<typeof AbuseMessage>
export type UserAbuse = z.output<typeof UserAbuse>

/** JSON bodies contain ids as numbers, URLs as digits. */
const AnyVideoId = z.preprocess(value => (typeof value === 'number' ? String(value) : value), VideoId)

const AbuseListQuery = Paging.extend({
  id: RowId.optional(),
  state: AbuseState.optional(),
  search: SearchText,
  sort: z.enum(['id', '-id', 'createdAt', '-createdAt', 'state', '-state'], 'Invalid value').optional()
})

/** Routes for reports to the moderators. */
export const abusesContract = defineContract({
  'POST /abuses': {
    summary: 'Report a video, a comment or an account',
    description: 'A report of a remote object is also sent to the moderators of its server.',
    tag: 'Abuses',
    auth: 'user',
    body: z.object({
      reason: ReportText,
      predefinedReasons: arrayParam(Reason, ABUSE_PREDEFINED_REASONS.length).optional(),
      video: z
        .object({ id: AnyVideoId, startAt: Seconds.optional(), endAt: Seconds.optional() })
        .refine(({ startAt, endAt }) => endAt === undefined || endAt > (startAt ?? 0), {
          path: ['endAt'],
          message: 'Should be after startAt'
        })
        .optional(),
      comment: z.object({ id: RowId }).optional(),
      account: z.object({ id: RowId }).optional()
    }),
    response: z.object({ abuse: z.object({ id: z.int() }) }),
    refusals: { 400: 'No object is named, or more than one' }
  },
  'GET /abuses': {
    summary: 'Reports',
    tag: 'Abuses',
    auth: 'moderator',
    query: AbuseListQuery.extend({
      predefinedReason: Reason.optional(),
      searchReporter: SearchText,
      searchReportee: SearchText,
      searchVideo: SearchText,
      searchVideoChannel: SearchText,
      videoIs: z.enum(['deleted', 'blacklisted'], 'Invalid value').optional(),
      filter: z.enum(['video', 'comment', 'account'], 'Invalid value').optional()
    }),
    response: resultList(AdminAbuse)
  },
  'PUT /abuses/:id': {
    summary: 'Decide on a report',
    tag: 'Abuses',
    auth: 'moderator',
    params: IdParam,
    body: z.object({ state: AbuseState.optional(), moderationComment: ReportText.optional() })
  },
  'DELETE /abuses/:id': { summary: 'Delete a report', tag: 'Abuses', auth: 'moderator', params: IdParam },
  'GET /abuses/:id/messages': {
    summary: 'Messages between moderators and the reporter',
    tag: 'Abuses',
    auth: 'user',
    params: IdParam,
    response: resultList(AbuseMessage)
  },
  'POST /abuses/:id/messages': {
    summary: 'Add a message about a report',
    tag: 'Abuses',
    auth: 'user',
    params: IdParam,
    body: z.object({ message: ReportText }),
    response: z.object({ abuseMessage: z.object({ id: z.int() }) }),
    refusals: { 400: 'The reporter is remote', 409: 'There are too many messages' }
  },
  'DELETE /abuses/:id/messages/:messageId': {
    summary: 'Delete a message',
    tag: 'Abuses',
    auth: 'user',
    params: IdParam.extend({ messageId: RowId })
  },
  'GET /users/me/abuses': { summary: 'My reports', tag: 'Abuses', auth: 'user', query: AbuseListQuery, response: resultList(UserAbuse) }
})
