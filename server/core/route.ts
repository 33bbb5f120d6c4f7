import type { Request, RequestHandler, Response, Router } from 'express'
import { Router as createRouter } from 'express'
import { z } from 'zod'
import type { Auth, Contract, RouteSpec } from '../../shared/contract.ts'
import { receiveMultipartFiles, type MultipartFile } from './multipart.ts'
import { limitRate } from './request-rate-limit.ts'
import { invalidParams, Problem, type InvalidParam } from './problem.ts'
import { cacheResponse } from './response-cache.ts'

/** Who asks: the logged-in user of a request. */
export type Viewer = {
  id: number
  username: string
  role: 0 | 1 | 2
  accountId: number
  nsfwPolicy: string
  videoLanguages: string[] | null
}

type Output<T> = T extends z.ZodType ? z.output<T> : undefined
type Names<P> = P extends z.ZodType ? z.output<P> : Record<string, string>
type Files<S> = S extends { files: infer F } ? { [K in keyof F]?: MultipartFile } : Record<string, never>
type Asking<A> = A extends 'user' | 'moderator' | 'admin' ? Viewer : A extends 'optional' ? Viewer | null : null

/** What a handler gets: everything already validated and typed from the declaration. */
export type RouteInput<S extends RouteSpec> = {
  params: Names<S['params']>
  query: Output<S['query']>
  body: Output<S['body']>
  files: Files<S>
  viewer: Asking<S['auth']>
  request: Request
  response: Response
}
/** `undefined` where a handler has written the answer itself. */
type Answer<S> = S extends { response: infer R extends z.ZodType } ? z.input<R> | undefined : void
/** One handler per declared route; a missing one does not compile. */
export type RouteHandlers<C extends Contract> = { [K in keyof C]: (input: RouteInput<C[K]>) => Promise<Answer<C[K]>> | Answer<C[K]> }

type Authenticator = (request: Request) => Promise<Viewer | null>
let authenticate: Authenticator = async () => null

/** Sets who can tell the viewer of a request (the accounts floor). */
export function setAuthenticator(authenticator: Authenticator): void {
  authenticate = authenticator
}

/** When on (tests), every answer is parsed by its declared response and a difference is an error. */
export const responseValidation = { checked: false }

/** The viewer of a request outside a contract (files, pages); null without a valid token. Throws 401 on a bad token. */
export async function requestViewer(request: Request): Promise<Viewer | null> {
  return await authenticate(request)
}

/** Binds handlers to a contract and gives the router to mount below /api/v1. */
export function implementContract<C extends Contract>(routes: C, handlers: RouteHandlers<C>): Router {
  const router = createRouter({ strict: false })
  for (const [key, spec] of Object.entries(routes)) {
    const [method, path] = key.split(' ') as [string, string]
    const handler = handlers[key] as unknown as (input: object) => Promise<unknown>
    const steps: RequestHandler[] = [limitRate(spec.limit ?? 'api')]
    if (spec.cache) {
      steps.push(
        cacheResponse(async (request, response) => {
          const value = await handler(readInput(spec, request, response))
          checkAnswer(spec, value)
          return value
        })
      )
    }
    steps.push(permitted(spec.auth ?? 'none'))
    if (spec.files) steps.push(receiveMultipartFiles(spec.files))
    steps.push(answer(spec, handler))
    router[method.toLowerCase() as 'get'](path, ...steps)
  }
  return router
}

const RANK: Record<Auth, number> = { none: 3, optional: 3, user: 2, moderator: 1, admin: 0 }
const viewers = new WeakMap<Request, Viewer | null>()

function permitted(auth: Auth): RequestHandler {
  return async (request, _response, next) => {
    if (auth === 'none') return next()
    const viewer = await authenticate(request)
    if (!viewer && auth !== 'optional') throw new Problem(401, 'unauthorized_request', 'Token is invalid')
    if (viewer && viewer.role > RANK[auth]) throw new Problem(403, null, `User ${viewer.username} does not have the right to do this.`)
    viewers.set(request, viewer)
    next()
  }
}

function answer(spec: RouteSpec, handler: (input: object) => Promise<unknown>): RequestHandler {
  return async (request, response) => {
    const value = await handler(readInput(spec, request, response))
    // Written by the handler itself, or the caller hung up.
    if (response.headersSent || response.writableEnded || response.destroyed) return
    checkAnswer(spec, value)
    if (value === undefined) response.status(spec.status ?? 204).end()
    else response.status(spec.status ?? 200).json(value)
  }
}

function readInput(spec: RouteSpec, request: Request, response: Response): object {
  if (spec.form && !request.is('application/x-www-form-urlencoded')) {
    throw new Problem(400, 'invalid_request', 'Invalid request: content must be application/x-www-form-urlencoded')
  }
  const wrong: InvalidParam[] = []
  const params = spec.params ? parsed(spec.params, request.params, 'params', wrong) : request.params
  const query = parsed(spec.query, request.query, 'query', wrong)
  const body = parsed(spec.body, request.body ?? {}, 'body', wrong)
  if (wrong.length > 0) throw invalidParams(wrong)
  return { params, query, body, files: request.files ?? {}, viewer: viewers.get(request) ?? null, request, response }
}

function parsed(schema: z.ZodType | undefined, value: unknown, location: InvalidParam['location'], wrong: InvalidParam[]): unknown {
  if (!schema) return undefined
  for (const [path, part] of Object.entries(value ?? {})) {
    // Postgres stores no NUL, and no name or text has a use for it.
    if (holdsNul(part)) wrong.push({ type: 'field', msg: 'Should not hold a NUL character', path, location })
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    const path = String(issue.path[0] ?? location)
    if (wrong.some(one => one.path === path)) continue
    const given = (value as Record<string, unknown> | null)?.[path]
    wrong.push({ type: 'field', ...(given === undefined ? {} : { value: given }), msg: issue.message, path, location })
  }
  return undefined
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0')
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsNul)
}

function checkAnswer(spec: RouteSpec, value: unknown): void {
  if (!responseValidation.checked) return
  const schema = spec.response ?? z.undefined()
  const result = schema.safeParse(value === undefined ? undefined : JSON.parse(JSON.stringify(value)))
  if (!result.success) throw new Error(`The answer does not match its declaration: ${z.prettifyError(result.error)}`)
}
