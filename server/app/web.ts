import { createServer, type Server } from 'node:http'
import express, { type Express } from 'express'
import helmet from 'helmet'
import { parse } from 'qs'
import { config } from '../core/config.ts'
import { Problem } from '../core/problem.ts'
import { closeAfterEarlyAnswer } from '../core/request-body.ts'
import { runAsRequest } from '../core/request-context.ts'
import { serveCachedResponse } from '../core/response-cache.ts'
import { setAuthenticator } from '../core/route.ts'
import { markInteractiveUse } from '../core/interactive-load.ts'
import { authenticateRequest } from '../accounts/session.ts'
import { inboxRouter } from '../fediverse/inbox.routes.ts'
import { filesRouter } from '../videos/files.routes.ts'
import { answerProtocolErrors } from './protocol-errors.ts'
import { apiRoutes, siteRoutes } from './routes.ts'
import { writeProblem } from './write-problem.ts'

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
  app.use((request, _response, next) => runAsRequest(next, request.ip))
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
