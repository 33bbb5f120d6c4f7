/** Something a stranger sent that is not taken; `status` is what they are told (4xx). */
export class RejectedRequestError extends Error {
  readonly status: number
  /** Milliseconds after which trying again may help. */
  readonly retryAfter: number | undefined
  constructor(status: number, message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.retryAfter = retryAfter
  }
}
