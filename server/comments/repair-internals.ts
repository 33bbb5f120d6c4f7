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
  maxOutboxItems: 60
})
