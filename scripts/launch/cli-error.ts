/** An error the administrator can fix: printed as one sentence without a stack trace; `code` is the exit status. */
export class CliError extends Error {
  readonly code: number

  constructor(sentence: string, code = 1) {
    super(sentence)
    this.code = code
  }
}
