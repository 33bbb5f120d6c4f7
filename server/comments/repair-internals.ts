import { defineInternals } from '../core/internals.ts'

const DAY = 86_400_000

/** Internals of reading again what people of other servers wrote below videos of this one. Times in ms. */
export const COMMENT_REPAIR = defineInternals('commentRepair', {
  /** Comments that are older are not read again for their replies. */
  maxCommentAge: 30 * DAY,
  /** The replies of a new comment are read after so long, once there may be some. */
  firstReadAfter: 600_000,
  /** People who have not commented for longer are not asked what else they wrote. */
  maxCommenterAge: 90 * DAY,
  /** The newest activities of an outbox that are looked at. */
  maxOutboxItems: 60,
  /** Activities and objects that are fetched for one outbox, as it names them only by their ids. */
  maxOutboxFetches: 30,
  /** What could not be read for now is read again after so long, and each time after twice as long. */
  firstRetryAfter: 60_000,
  maxRetryDelay: 6 * 3_600_000,
  /** Of the comments in one list whose servers do not answer, so many are asked for later. */
  maxLaterFetches: 20
})

/** The delays of what could not be read. */
export const commentRetryLimits = () => ({ first: COMMENT_REPAIR.firstRetryAfter, longest: COMMENT_REPAIR.maxRetryDelay })
