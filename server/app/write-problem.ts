import { randomUUID } from 'node:crypto'
import type { ErrorRequestHandler } from 'express'
import { instanceOrigin } from '../core/config.ts'
import { isConflict } from '../core/conflict.ts'
import { databaseProblem } from '../core/database-errors.ts'
import { insufficientStorage, isDiskFullError } from '../core/disk-space.ts'
import { logger, loggedIp } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { isRedisUnavailableError, redisUnavailable } from '../core/redis.ts'
import { operationOf } from '../core/route.ts'

/** Answers an error by application/problem+json (RFC 9457); one that nobody foresaw by a bare 500 with an id that the log has too. */
export const writeProblem: ErrorRequestHandler = (error, request, response, _next) => {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const problem = error instanceof Problem ? error : (serviceProblem(error) ?? expressProblem(error) ?? circumstanceProblem(error))
  const id = problem ? undefined : randomUUID()
  if (!problem) logger.error('A request failed', { id, method: request.method, url: request.originalUrl, ip: loggedIp(request.ip), error })
  const { status, code, message, extra } = problem ?? new Problem(500, null, `Something went wrong here; the log has it as ${id}.`)
  const operation = operationOf(response)
  for (const [name, value] of Object.entries(extra.headers ?? {})) response.setHeader(name, value)
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: code ? `${instanceOrigin()}/api/v1/docs#errors-${code}` : 'about:blank',
        title: STATUS_TITLES[status] ?? 'Error',
        status,
        detail: message,
        ...(code ? { code } : {}),
        ...extra.details,
        ...(extra['invalid-params'] ? { 'invalid-params': extra['invalid-params'] } : {}),
        instance: request.originalUrl,
        ...(operation ? { docs: `${instanceOrigin()}/api/v1/docs#${operation}` } : {}),
        error: message
      })
    )
}

/** Converts an error of Postgres or Redis that is not the request's fault to a Problem; null for any other error. */
function serviceProblem(error: unknown): Problem | null {
  const problem = databaseProblem(error) ?? (isRedisUnavailableError(error) ? redisUnavailable() : null)
  if (problem) logger.warn('A request failed', { code: problem.code, error })
  return problem
}

const STATUS_TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  507: 'Insufficient Storage'
}

/** Converts a 4xx error of express itself (body, path, file) to a Problem; null for any other error. */
function expressProblem(error: unknown): Problem | null {
  if (error instanceof URIError) return new Problem(400, 'invalid_request', 'The address is not valid.')
  const { status, type, name, message } = error as { status?: number; type?: string; name?: string; message?: string }
  if (!(error instanceof Error) || !status || status < 400 || status >= 500) return null
  if (status === 413) return new Problem(413, 'PayloadTooLargeError', 'request entity too large')
  if (status === 416) return new Problem(416, 'RangeNotSatisfiableError', 'Range Not Satisfiable')
  if (status === 404) return new Problem(404, null, 'Not found')
  return new Problem(
    status,
    type ?? name ?? null,
    type === 'entity.parse.failed' ? 'The body is not valid JSON.' : (message ?? 'Bad request')
  )
}

/** Returns the Problem of a full disk, or of a request that lost a race; null for any other error. */
function circumstanceProblem(error: unknown): Problem | null {
  if (isDiskFullError(error)) {
    logger.warn('The disk is full', { reason: (error as Error).message })
    return insufficientStorage()
  }
  if (isConflict(error)) {
    logger.warn('A request lost a race against another', { error })
    return new Problem(409, null, 'Something that this depends on was changed at the same time.', {
      headers: { 'Retry-After': '1' }
    })
  }
  return null
}
