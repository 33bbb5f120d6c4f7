import { createServer, type Server } from 'node:http'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { randomUUID } from 'node:crypto'
import helmet from 'helmet'
import { parse } from 'qs'
import { config, instanceOrigin } from '../core/config.ts'
import { isConflict } from '../core/conflict.ts'
import { databaseProblem } from '../core/database-errors.ts'
import { isDiskFull } from '../core/disk-full.ts'
import { logger, loggedIp } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { isRedisUnavailableError, redisUnavailable } from '../core/redis.ts'
import { closeAfterEarlyAnswer } from '../core/request-body.ts'
import { runAsRequest } from '../core/request-context.ts'
import { serveCachedResponse } from '../core/response-cache.ts'
import { operationOf, setAuthenticator } from '../core/route.ts'
import { markInteractiveUse } from '../core/interactive-load.ts'
import { authenticateRequest } from '../accounts/session.ts'
import { inboxRouter } from '../fediverse/inbox.routes.ts'
import { filesRouter } from '../videos/files.routes.ts'
import { answerProtocolErrors } from './protocol-errors.ts'
import { apiRoutes, siteRoutes } from './routes.ts'

/** A running web role. */
export type RunningWebRole = { port: number; stop(): Promise<void> }

/** Starts the web role: the REST API, the files and the pages. Resolves once the server listens; rejects if the port is in use. */
export async function startWebRole(): Promise<RunningWebRole> {
  setAuthenticator(authenticateRequest)
  const server = createServer(
    {
      requestTimeout: config.http.request_timeout,
      headersTimeout: config.http.headers_timeout,
      connectionsCheckingInterval: config.http.headers_timeout / 2,
      keepAliveTimeout: config.http.keep_alive_timeout
    },
    createApp()
  )
  answerProtocolErrors(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.listen.port, config.listen.hostname, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : config.listen.port
  return { port, stop: async () => await stopServer(server) }
}

function createApp(): Express {
  const app = express()
  app.set('trust proxy', config.trust_proxy)
  app.set('query parser', (text: string) =>
    parse(text, {
      depth: config.http.max_nesting,
      parameterLimit: config.http.max_fields,
      arrayLimit: config.http.max_fields,
      allowPrototypes: false
    })
  )
  app.set('etag', 'weak')
  app.disable('x-powered-by')
  app.use((_request, _response, next) => runAsRequest(next))
  app.use(markInteractiveUse)
  app.use(closeAfterEarlyAnswer)
  app.use(serveCachedResponse)
  // Before the middleware for browsers: other servers send thousands of requests.
  app.use(inboxRouter)
  // Pages set their own Content-Security-Policy (server/pages); these headers are for everything else.
  app.use(
    helmet({
      contentSecurityPolicy: false,
      crossOriginResourcePolicy: { policy: 'cross-origin' },
      crossOriginEmbedderPolicy: false,
      crossOriginOpenerPolicy: false,
      frameguard: false,
      hsts: config.webserver.https,
      referrerPolicy: { policy: 'strict-origin-when-cross-origin' }
    })
  )
  // Before all other routers: a player requests many segments.
  app.use(filesRouter)
  app.use('/api/v1', cors, apiRoutes(), rejectUnknownRoute)
  for (const [path, router] of siteRoutes()) app.use(path, router)
  app.use(writeProblem)
  return app
}

/** Allows every origin to use the API: credentials are sent in a header, never in a cookie. */
const cors: express.RequestHandler = (request, response, next) => {
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Access-Control-Expose-Headers', 'Retry-After, Range, Location, Content-Range')
  response.setHeader('X-Frame-Options', 'DENY')
  if (request.method !== 'OPTIONS') return next()
  response.setHeader('Access-Control-Allow-Methods', 'GET,HEAD,PUT,PATCH,POST,DELETE')
  response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '*')
  response.status(204).end()
}

/** PeerTube answers an unknown API route with 400; clients probing for features rely on it. */
const rejectUnknownRoute: express.RequestHandler = (_request, _response, next) =>
  next(new Problem(400, 'unknown_route', 'This API route does not exist.'))

const writeProblem: ErrorRequestHandler = (error, request, response, _next) => {
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
  if (isDiskFull(error)) {
    logger.warn('The disk is full', { reason: (error as Error).message })
    return new Problem(507, 'insufficient_storage', 'The server has no room for this file now.')
  }
  if (isConflict(error)) {
    logger.warn('A request lost a race against another', { error })
    return new Problem(409, null, 'Something that this depends on was changed at the same time.', {
      headers: { 'Retry-After': '1' }
    })
  }
  return null
}

/** Accepts no new connection, lets running requests finish for `http.shutdown_timeout`, then closes them. */
async function stopServer(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(() => server.closeAllConnections(), config.http.shutdown_timeout)
    server.close(() => {
      clearTimeout(timer)
      resolve()
    })
    server.closeIdleConnections()
  })
}
