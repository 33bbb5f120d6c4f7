import { defineInternals } from '../core/internals.ts'

/** Internals of the inbox: what a received activity may be, and how workers process it. Times in ms, sizes in bytes. */
export const INBOX = defineInternals('inbox', {
  /** Of a request's body; inboxes take no compressed ones. */
  maxBody: 1024 * 1024,
  /** Of nested JSON. */
  maxDepth: 32,
  /** Values in a document. */
  maxNodes: 20_000,
  /** Entries of a list that is read. */
  maxList: 500,
  /** Activities that a worker claims at once. */
  batch: 100,
  /** An activity that waits for another server for longer than this does not keep others from their turn; at most `maxSlow` do. */
  slowAfter: 1000,
  maxSlow: 64,
  attempts: 8,
  /** Doubled with each attempt. */
  retryDelay: 20_000,
  maxRetryDelay: 21_600_000,
  /**
   * An object that was fetched twice because of activities about it waits so long for the next fetch, doubled with each, up to
   * `maxRefreshDelay`; after `refreshWindow` without one it starts again.
   */
  refreshDelay: 2000,
  maxRefreshDelay: 600_000,
  refreshWindow: 3_600_000,
  /** After which an activity whose worker died is claimed again. */
  lease: 30_000,
  /** How often waiting activities are looked for without an event. */
  checkInterval: 5000,
  /** Received views are counted together: after this time, at most `viewsBatch` of them. */
  viewsInterval: 10_000,
  viewsBatch: 500,
  /** Activities without effect that administrators see, of each host and in all, and the largest that can be processed again. */
  maxIneffective: 100,
  maxIneffectiveInAll: 5000,
  maxIneffectiveBody: 64 * 1024,
  /** How long an Undo waits for what it undoes, and of how many undone activities it is known that they are. */
  earlyUndoLife: 86_400_000,
  maxUndone: 100_000,
  /** How often the ids of activities are deleted whose retention (`federation.inbox.keep`) is over. */
  sweepInterval: 3_600_000
})
