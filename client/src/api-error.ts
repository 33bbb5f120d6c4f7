/** A refusal (problem+json, RFC 9457) or a lost connection (status 0, code `network`). */
export class ApiError extends Error {
  readonly status: number
  readonly code: string | null
  /** What was wrong, by field. */
  readonly fields: Readonly<Record<string, string>>
  /** Seconds to wait before asking again, where the server says so. */
  readonly retryAfter: number | null

  constructor(status: number, code: string | null, detail: string, fields: Record<string, string> = {}, retryAfter: number | null = null) {
    super(detail)
    this.status = status
    this.code = code
    this.fields = fields
    this.retryAfter = retryAfter
  }
}

type Problem = {
  detail?: string
  code?: string
  error?: string | { code?: string; message?: string }
  'invalid-params'?: Record<string, { msg: string }>
}

/** Reads the refusal out of a response. */
export async function parseErrorResponse(response: Response): Promise<ApiError> {
  return parseApiError(response.status, await response.text().catch(() => ''), response.headers.get('Retry-After'))
}

/** Reads a refusal from its status, text and Retry-After header. */
export function parseApiError(status: number, text: string, retryAfter: string | null): ApiError {
  let problem: Problem = {}
  try {
    problem = JSON.parse(text) as Problem
  } catch {
    /* a proxy's page instead of a problem: the status says enough */
  }
  const error = typeof problem.error === 'object' ? problem.error : {}
  const fields = Object.fromEntries(Object.entries(problem['invalid-params'] ?? {}).map(([name, { msg }]) => [name, msg]))
  const seconds = Number(retryAfter)
  return new ApiError(
    status,
    problem.code ?? error.code ?? null,
    problem.detail ?? error.message ?? `Status ${status}`,
    fields,
    retryAfter && Number.isFinite(seconds) ? seconds : null
  )
}

/** Any failure as one that forms can show. */
export function toApiError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, null, String(error))
}

/** Whether the thing asked for does not exist, or must look so. */
export function isNotFoundError(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || (error.status === 400 && 'id' in error.fields))
}
