import { defineInternals } from '../core/internals.ts'

/** Internals of the torrents of local files. Times in ms. */
export const TORRENTS = defineInternals('torrents', {
  /** Torrents that are missing are made for `runTime` in each `interval`, so that reading the files does not get in the way of viewers. */
  interval: 15_000,
  runTime: 3_000,
  /** After this a file that could not be read is tried again. */
  retryAfter: 86_400_000,
  /** How long one worker has to make the torrent of an uploaded file. */
  uploadedFileLease: 600_000
})
