import { defineInternals } from '../core/internals.ts'

/** Internals of reading other servers' collections. Times in ms. */
export const CRAWL = defineInternals('crawl', {
  maxPages: 50,
  maxItems: 5000,
  maxTime: 60_000,
  /** In a row, that lead to another page. */
  maxEmptyPages: 3,
  /** Remote objects refreshed in one run of a job, how many of them at the same time, and how long a run begins new ones. */
  refreshBatch: 200,
  refreshConcurrency: 4,
  refreshTime: 50_000,
  /** How often what is to be refreshed is looked for. */
  refreshInterval: 60_000,
  /** Steps up a thread. */
  maxReplies: 100
})
