/** Thrown for a request or document of another server that is rejected; `status` is the HTTP status of the response. */
export class RejectedRequestError extends Error {
  readonly status: number
  /** After how many ms a retry may succeed. */
  readonly retryAfter: number | undefined
  constructor(status: number, message: string, retryAfter?: number) {
    super(message)
    this.status = status
    this.retryAfter = retryAfter
  }
}
