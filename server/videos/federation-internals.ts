import { defineInternals } from '../core/internals.ts'

/** Internals of what is sent and received about videos. Times in ms. */
export const VIDEO_FEDERATION = defineInternals('videos', {
  /** Likes and views of a video are sent at most this often. */
  countersInterval: 30_000,
  /** The views of a remote video grow by no more than this at once. */
  maxViewJump: 10_000_000,
  /** Views of a remote video sent to its origin at once. */
  maxToldViews: 100,
  /** How many watch a video now is sent at most this often. */
  viewersInterval: 90_000,
  /** Views that could not be sent for so long are dropped. */
  viewLifetime: 3_600_000
})
