import { defineInternals } from '../core/internals.ts'

/** Internals of what is kept in memory and refreshed of actors. Times in ms. */
export const REMOTE_ACTORS = defineInternals('actors', {
  /** Keys and signers kept in memory, and for how long. */
  remembered: 10_000,
  rememberedFor: 30_000,
  /** How long blocked servers and accounts are kept in memory. */
  blocksFor: 1000,
  /** A key that does not fit a signature is fetched again at most this often. */
  keyRefresh: 300_000,
  /** An actor that is gone is not asked for again for so long. */
  goneFor: 3_600_000,
  refreshInterval: 300_000
})
