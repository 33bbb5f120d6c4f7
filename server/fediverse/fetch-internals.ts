import { defineInternals } from '../core/internals.ts'

/** Internals of requests to other servers. Times in ms, sizes in bytes. */
export const FETCH = defineInternals('fetch', {
  connectTimeout: 5000,
  headersTimeout: 7000,
  /** For a whole response. */
  timeout: 15_000,
  /** For a response with all its redirects. */
  redirectsTimeout: 20_000,
  maxRedirects: 3,
  /** Of a document, after decompression. */
  maxSize: 3 * 1024 * 1024,
  maxImageSize: 4 * 1024 * 1024,
  /** Bytes a second; a slower response is given up. */
  minRate: 1024,
  /** Documents fetched because of one received activity. */
  maxPerActivity: 20
})
