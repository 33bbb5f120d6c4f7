import { defineInternals } from '../core/internals.ts'

/** Internals of reading other servers' collections. Times in ms. */
export const CRAWL = defineInternals('crawl', {
  maxPages: 50,
  maxItems: 5000,
  maxTime: 60_000,
  /** Remote objects refreshed at once. */
  refreshBatch: 200,
  /** Steps up a thread. */
  maxReplies: 100
})
