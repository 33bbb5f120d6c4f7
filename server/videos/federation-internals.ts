import { defineInternals } from '../core/internals.ts'

/** Internals of what is sent and received about videos. Times in ms. */
export const VIDEO_FEDERATION = defineInternals('videos', {
  /** Likes and views of a video are sent at most this often. */
  countersInterval: 30_000,
  /** So many Updates that an upgrade owes are sent each `dueUpdatesInterval`. */
  dueUpdatesInterval: 10_000,
  dueUpdatesBatch: 10,
  /** The views of a remote video grow by no more than this at once. */
  maxViewJump: 10_000_000,
  /** Views of a remote video sent to its origin at once. */
  maxToldViews: 100,
  /** How many watch a video now is sent at most this often. */
  viewersInterval: 90_000,
  /**
   * So many videos of a server that it refuses to show (401, 403) within `forbiddenWindow`, and more than that share of them, are trouble of
   * the server and no private videos.
   */
  maxForbidden: 10,
  maxForbiddenShare: 0.2,
  forbiddenWindow: 3_600_000,
  /** For how long it counts whether the instance actor of a server can be read. */
  instanceProbeInterval: 60_000,
  /** After a failed refresh, doubled with each, up to `maxRefreshRetry`. */
  refreshRetry: 600_000,
  maxRefreshRetry: 86_400_000,
  /** Views that could not be sent for so long are dropped. */
  viewLifetime: 3_600_000
})
