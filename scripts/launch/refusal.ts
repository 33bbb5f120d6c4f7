/** Something the admin can mend: printed as one sentence without a stack; `code` is the exit status. */
export class Refusal extends Error {
  constructor(sentence: string, readonly code = 1) {
    super(sentence)
  }
}
