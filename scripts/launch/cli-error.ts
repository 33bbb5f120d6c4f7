/** Something the admin can mend: printed as one sentence without a stack; `code` is the exit status. */
export class CliError extends Error {
  readonly code: number

  constructor(sentence: string, code = 1) {
    super(sentence)
    this.code = code
  }
}
