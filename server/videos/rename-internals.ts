import { defineInternals } from '../core/internals.ts'

/** Internals of the job that renames files (rename-files.job.ts). */
export const RENAMES = defineInternals('renames', {
  /** How often (ms) it is looked whether a transcoding has ended that files wait for. */
  interval: 60_000
})
