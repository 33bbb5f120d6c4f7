/** A test by its full name, and the first line of what went wrong. */
export interface TestFailure {
  name: string
  message: string
}

/** What a test file came to; `seconds` from the moment a process took it to its end. */
export interface TestFileResult {
  path: string
  seconds: number
  passed: number
  skipped: number
  failed: TestFailure[]
  secondTries: TestFailure[]
}

/** More tests that passed only the second time than this fail a run. */
export const MAX_RETRIED_TESTS = 3
