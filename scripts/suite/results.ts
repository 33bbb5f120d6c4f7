/** The full name of a failed test, and the first line of its error. */
export interface TestFailure {
  name: string
  message: string
}

/** The result of a test file; `seconds` from when a vitest worker picks it up to its end. */
export interface TestFileResult {
  path: string
  seconds: number
  passed: number
  skipped: number
  failed: TestFailure[]
  secondTries: TestFailure[]
}

/** A run fails when more tests than this passed only at the second try. */
export const MAX_RETRIED_TESTS = 3
