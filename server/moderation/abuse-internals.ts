import { defineInternals } from '../core/internals.ts'

/** Internals of received reports. */
export const ABUSE_FEDERATION = defineInternals('abuses', {
  /** Objects that one `Flag` may name. */
  maxObjects: 20
})
