/** The fault of one parameter, as PeerTube's clients read it from `invalid-params`. */
export type InvalidParam = { type: 'field'; value?: unknown; msg: string; path: string; location: 'params' | 'query' | 'body' | 'headers' }

/**
 * An error that is sent to the client as application/problem+json (RFC 9457).
 * `code` is PeerTube's machine-readable code where it has one, else null.
 */
export class Problem extends Error {
  readonly status: number
  readonly code: string | null
  /** `details`: further members of the document (RFC 9457, 3.2). */
  readonly extra: { 'invalid-params'?: Record<string, InvalidParam>; headers?: Record<string, string>; details?: Record<string, string> }

  constructor(status: number, code: string | null, detail: string, extra: Problem['extra'] = {}) {
    super(detail)
    this.status = status
    this.code = code
    this.extra = extra
  }
}

/** Returns a 400 that names each wrong parameter. */
export function invalidParams(params: InvalidParam[]): Problem {
  const names = [...new Set(params.map(param => param.path))]
  return new Problem(400, null, `Incorrect request parameters: ${names.join(', ')}`, {
    'invalid-params': Object.fromEntries(params.map(param => [param.path, param]))
  })
}

/** Returns a 404 for something that does not exist or must appear not to. */
export function notFound(what: string): Problem {
  return new Problem(404, null, `${what} not found`)
}
