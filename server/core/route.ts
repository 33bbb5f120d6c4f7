import type { Request, RequestHandler, Response, Router } from 'express'
import { Router as createRouter } from 'express'
import { z } from 'zod'
import { operationId, type Auth, type Contract, type RouteSpec } from '../../shared/contract.ts'
import { receiveMultipartFiles, type FilesAdmission, type MultipartFile } from './multipart.ts'
import { runAsRequest } from './request-context.ts'
import { parseBody } from './parse-body.ts'
import { limitRate, setRateLimitExemption } from './request-rate-limit.ts'
import { invalidParams, Problem, type InvalidParam } from './problem.ts'
import { cacheResponse, type CacheableRequest } from './response-cache.ts'

/** The logged-in user of a request. */
export type Viewer = {
  id: number
  username: string
  role: 0 | 1 | 2
  accountId: number
  nsfwPolicy: string
  videoLanguages: string[] | null
}

type Output<T> = T extends z.ZodType ? z.output<T> : undefined
type PathParams<P> = P extends z.ZodType ? z.output<P> : Record<string, string>
type Files<S> = S extends { files: infer F } ? { [K in keyof F]?: MultipartFile } : Record<string, never>
type ViewerOf<A> = A extends 'user' | 'moderator' | 'admin' ? Viewer : A extends 'optional' ? Viewer | null : null

/** The input of a handler: validated and typed by the declaration of the route. */
export type RouteInput<S extends RouteSpec> = {
  params: PathParams<S['params']>
  query: Output<S['query']>
  body: Output<S['body']>
  files: Files<S>
  viewer: ViewerOf<S['auth']>
  /** Of a cached route only what its cached answers do not depend on. */
  request: S extends { cache: true } ? CacheableRequest : Request
  response: Response
}
/** What a handler returns; `undefined` where it has written the response itself. */
type HandlerResult<S> = S extends { response: infer R extends z.ZodType } ? z.input<R> | undefined : void
/** One handler per declared route; a missing one does not compile. */
export type RouteHandlers<C extends Contract> = {
  [K in keyof C]: (input: RouteInput<C[K]>) => Promise<HandlerResult<C[K]>> | HandlerResult<C[K]>
}

/** Decide about the files of requests before their bodies are read, and while they arrive. `announced`: the Content-Length, null without one. */
export type RouteAdmissions<C extends Contract> = {
  [K in keyof C]?: (request: Request, viewer: ViewerOf<C[K]['auth']>, announced: number | null) => Promise<FilesAdmission>
}

type Authenticator = (request: Request) => Promise<Viewer | null>
let authenticate: Authenticator = async () => null

/** Sets the function that determines the viewer of a request (set by the accounts layer). Moderators and administrators have no API rate limit. */
export function setAuthenticator(authenticator: Authenticator): void {
  authenticate = authenticator
  setRateLimitExemption(async request => ((await authenticator(request))?.role ?? MAX_ROLE.none) <= MAX_ROLE.moderator)
}

/** If `checked` (tests), every response is parsed by its declared schema, and a difference is an error. */
export const responseValidation = { checked: false }

/** Returns the viewer of a request outside a contract (files, pages); null without a token. Throws 401 for an invalid token. */
export async function requestViewer(request: Request): Promise<Viewer | null> {
  return await authenticate(request)
}

/** Binds handlers to a contract and returns the router to mount below /api/v1. */
export function implementContract<C extends Contract>(routes: C, handlers: RouteHandlers<C>, admissions: RouteAdmissions<C> = {}): Router {
  const router = createRouter({ strict: false })
  for (const [key, spec] of Object.entries(routes)) {
    const [method, path] = key.split(' ') as [string, string]
    const handler = handlers[key] as unknown as (input: object) => Promise<unknown>
    const steps: RequestHandler[] = [noteOperation(key), limitRate(spec.limit ?? 'api')]
    if (spec.cache) {
      steps.push(
        cacheResponse(
          key,
          (request, response) => readInput(spec, request, response),
          async input => {
            const value = await handler(input)
            checkResponse(spec, value)
            return value
          }
        )
      )
    }
    steps.push(requireAuth(spec.auth ?? 'none'))
    if (spec.body) steps.push(parseBody)
    const admit = admissions[key]
    if (spec.files) {
      const viewerOf = (request: Request) => (viewers.get(request) ?? null) as never
      steps.push(
        receiveMultipartFiles(spec.files, admit && (async (request, announced) => await admit(request, viewerOf(request), announced)))
      )
    }
    steps.push(respond(spec, handler))
    router[method.toLowerCase() as 'get'](path, ...steps)
  }
  return router
}

const operations = new WeakMap<Response, string>()

/** Returns the operationId of the route that a response is of; undefined outside the contracts. */
export function operationOf(response: Response): string | undefined {
  return operations.get(response)
}

function noteOperation(key: string): RequestHandler {
  const id = operationId(key)
  return (_request, response, next) => {
    operations.set(response, id)
    next()
  }
}

const MAX_ROLE: Record<Auth, number> = { none: 3, optional: 3, user: 2, moderator: 1, admin: 0 }
const viewers = new WeakMap<Request, Viewer | null>()

function requireAuth(auth: Auth): RequestHandler {
  return async (request, _response, next) => {
    if (auth === 'none') return next()
    const viewer = await authenticate(request)
    if (!viewer && auth !== 'optional') throw new Problem(401, 'unauthorized_request', 'Token is invalid')
    if (viewer && viewer.role > MAX_ROLE[auth]) throw new Problem(403, null, `User ${viewer.username} does not have the right to do this.`)
    viewers.set(request, viewer)
    next()
  }
}

function respond(spec: RouteSpec, handler: (input: object) => Promise<unknown>): RequestHandler {
  return async (request, response) => {
    // What reads a body may have left the context that the app set.
    const value = await runAsRequest(async () => await handler(readInput(spec, request, response)), request.ip)
    // The handler wrote the response itself, or the client disconnected.
    if (response.headersSent || response.writableEnded || response.destroyed) return
    checkResponse(spec, value)
    if (value === undefined) response.status(spec.status ?? 204).end()
    else response.status(spec.status ?? 200).json(value)
  }
}

type ReadInput = { params: unknown; query: unknown; [part: string]: unknown }

function readInput(spec: RouteSpec, request: Request, response: Response): ReadInput {
  if (spec.form && !request.is('application/x-www-form-urlencoded')) {
    throw new Problem(400, 'invalid_request', 'Invalid request: content must be application/x-www-form-urlencoded')
  }
  const invalid: InvalidParam[] = []
  const params = spec.params ? parsePart(spec.params, request.params, 'params', invalid) : request.params
  const query = parsePart(spec.query, request.query, 'query', invalid)
  const body = parsePart(spec.body, request.body ?? {}, 'body', invalid)
  if (invalid.length > 0) throw invalidParams(invalid)
  return { params, query, body, files: request.files ?? {}, viewer: viewers.get(request) ?? null, request, response }
}

function parsePart(schema: z.ZodType | undefined, value: unknown, location: InvalidParam['location'], invalid: InvalidParam[]): unknown {
  if (!schema) return undefined
  for (const [path, member] of Object.entries(value ?? {})) {
    if (isNestedTooDeeply(member)) {
      invalid.push({ type: 'field', msg: 'Is nested too deeply', path, location })
      return undefined
    }
    const fault = unstorableIn(path) ?? unstorableIn(member)
    if (fault !== null) invalid.push({ type: 'field', msg: fault, path, location })
  }
  const result = schema.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const path = paramName(issue.path) || location
    if (invalid.some(one => one.path === path)) continue
    const sent = path.split('.').reduce<unknown>((member, key) => (isRecord(member) ? member[key] : undefined), value)
    // The number or boolean that a text of a form or query was read as.
    const given = issue.path.join('.') === path ? (issue.input ?? sent) : sent
    invalid.push({ type: 'field', ...(given === undefined ? {} : { value: given }), msg: issue.message, path, location })
  }
  return undefined
}

/** The name of a parameter as PeerTube's clients read it: `video.endAt`; a fault of an element is one of its list. */
function paramName(path: PropertyKey[]): string {
  const index = path.findIndex(key => typeof key !== 'string')
  return (index === -1 ? path : path.slice(0, index)).join('.')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** No route needs as many levels, and what walks a value level by level calling itself runs out of stack at some thousands. */
const MAX_LEVELS = 50

function isNestedTooDeeply(value: unknown): boolean {
  let members = [value]
  for (let level = 0; level < MAX_LEVELS && members.length > 0; level++)
    members = members.flatMap(member => (isRecord(member) ? Object.values(member) : []))
  return members.length > 0
}

/** Says what Postgres cannot store in a text, or in the names and texts of an object; null for nothing. No name or text needs it. */
function unstorableIn(value: unknown): string | null {
  if (typeof value === 'string') {
    if (value.includes('\0')) return 'Should not hold a NUL character'
    return /\p{Surrogate}/u.test(value) ? 'Should not hold half of a character (a lone surrogate)' : null
  }
  if (!isRecord(value)) return null
  for (const [key, member] of Object.entries(value)) {
    const fault = unstorableIn(key) ?? unstorableIn(member)
    if (fault !== null) return fault
  }
  return null
}

/** Throws 404 where a handler found nothing to answer: what it answers with was removed after it had been found. */
function checkResponse(spec: RouteSpec, value: unknown): void {
  if (value === undefined && spec.response) throw new Problem(404, null, 'Not found')
  if (!responseValidation.checked) return
  const schema = spec.response ?? z.undefined()
  const result = schema.safeParse(value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
  if (!result.success) throw new Error(`The answer does not match its declaration: ${z.prettifyError(result.error)}`)
}
