import { defineInternals } from '../core/internals.ts'

/** Times (ms) and sizes (bytes) of uploads that no administrator decides. */
export const UPLOADS = defineInternals('uploads', {
  /** An upload in one request whose process does not renew its reservation for so long is not counted any more. */
  reservationLease: 60_000,
  /** So often a reservation is renewed and what has arrived is noted. */
  renewInterval: 2000,
  /** What the fields and headers of a form may take beside its files. */
  formOverhead: 256 * 1024,
  /** What an upload without Content-Length asks for at a time: at least this, else the share of what it has. */
  growth: { least: 256 * 1024, most: 16 * 2 ** 20, share: 1 / 8 },
  /** The right to write to a resumable upload, which ends so long after the last bytes if its request did not give it back. */
  writerLease: 15_000,
  /** So long the response of a finished resumable upload is repeated. */
  answerLifetime: 24 * 3_600_000
})
