/** An error response (problem+json, RFC 9457) or a failed connection (status 0, code `network`). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string | null
  /** The message of each invalid field, by its name. */
  readonly fields: Readonly<Record<string, string>>
  /** Seconds to wait before the next request (header Retry-After); null without one. */
  readonly retryAfter: number | null
  /** Where an object of another server can be seen that this one does not show; null for any other error. */
  readonly originUrl: string | null

  constructor(
    status: number,
    code: string | null,
    detail: string,
    { fields = {}, retryAfter = null, originUrl = null }: Partial<Pick<ApiError, 'fields' | 'retryAfter' | 'originUrl'>> = {}
  ) {
    super(detail)
    this.status = status
    this.code = code
    this.fields = fields
    this.retryAfter = retryAfter
    this.originUrl = originUrl
  }
}

type ProblemDocument = {
  detail?: string
  code?: string
  originUrl?: string
  error?: string | { code?: string; message?: string }
  'invalid-params'?: Record<string, { msg: string }>
}

/** Converts an error response to an ApiError; reads its body. */
export async function parseErrorResponse(response: Response): Promise<ApiError> {
  return parseApiError(response.status, await response.text().catch(() => ''), response.headers.get('Retry-After'))
}

/** Converts the status, body and Retry-After header of an error response to an ApiError. */
export function parseApiError(status: number, text: string, retryAfter: string | null): ApiError {
  let problem: ProblemDocument = {}
  try {
    problem = JSON.parse(text) as ProblemDocument
  } catch {
    /* a proxy's error page instead of problem+json: the status is enough */
  }
  const error = typeof problem.error === 'object' ? problem.error : {}
  const fields = Object.fromEntries(Object.entries(problem['invalid-params'] ?? {}).map(([name, { msg }]) => [name, msg]))
  const seconds = Number(retryAfter)
  return new ApiError(status, problem.code ?? error.code ?? null, problem.detail ?? error.message ?? `Status ${status}`, {
    fields,
    retryAfter: retryAfter && Number.isFinite(seconds) ? seconds : null,
    originUrl: problem.originUrl ?? null
  })
}

/** Wraps any other error in an ApiError of status 0, so that forms can show it. */
export function toApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, null, String(error))
}

/** Whether the requested object does not exist, or the server does not reveal it to this user: 404, or 400 for an invalid id. */
export function isNotFoundError(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || (error.status === 400 && 'id' in error.fields))
}
