import { defineInternals } from '../core/internals.ts'

/** Internals of our collections. */
export const COLLECTIONS = defineInternals('collections', {
  /** Items on a page of an OrderedCollection. */
  pageSize: 10
})
