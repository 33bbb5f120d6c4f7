import type { z } from 'zod'

/** The classes of rate limits a route may name; see `rates_limit` in config/default.yaml. */
export type RateLimitName = 'api' | 'login' | 'signup' | 'upload'

/** Who may call: `none` ignores credentials, `optional` knows the viewer if there is one, the rest demand at least that role. */
export type Auth = 'none' | 'optional' | 'user' | 'moderator' | 'admin'

/** What a multipart field may hold. */
export type FileKind = 'image' | 'avatar' | 'video'

/** One route, declared once: validation, handler types, OpenAPI and the client's types follow from it. */
export type RouteSpec = {
  summary: string
  description?: string
  tag: string
  auth?: Auth
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodType
  /** `form`: only application/x-www-form-urlencoded is accepted. */
  form?: true
  /** Files of a multipart request, by field name; the other fields are the body. */
  files?: Readonly<Record<string, FileKind>>
  response?: z.ZodType
  /** Success status; 204 where there is no response, else 200. */
  status?: number
  limit?: RateLimitName
  /** Anonymous answers may be kept in memory while the database has not changed. */
  cache?: true
  /** Statuses of refusals worth documenting, with their reason. */
  refusals?: Readonly<Record<number, string>>
}

/** A set of routes keyed `METHOD /path` below /api/v1. */
export type Contract = Readonly<Record<string, RouteSpec>>

/** Declares a feature's routes. */
export function defineContract<const T extends Record<`${'GET' | 'POST' | 'PUT' | 'DELETE'} /${string}`, RouteSpec>>(routes: T): T {
  return routes
}
