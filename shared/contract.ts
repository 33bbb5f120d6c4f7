import type { z } from 'zod'

/** The rate limits a route may name; see `rates_limit` in config/default.yaml. */
export type RateLimitName = 'api' | 'login' | 'signup' | 'upload'

/**
 * Who may call a route: `none` ignores credentials, `optional` authenticates if credentials are sent, the others require at least that
 * role.
 */
export type Auth = 'none' | 'optional' | 'user' | 'moderator' | 'admin'

/** The kind of file a multipart field contains. */
export type FileKind = 'image' | 'avatar' | 'video'

/** The declaration of one route: validation, handler types, OpenAPI and the client's types are derived from it. */
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
  /** Success status; the default is 204 without a response schema, else 200. */
  status?: number
  limit?: RateLimitName
  /** Anonymous responses may be cached in memory while the database has not changed. */
  cache?: true
  /** Error statuses worth documenting, with their reason. */
  refusals?: Readonly<Record<number, string>>
}

/** Routes by `METHOD /path` below /api/v1. */
export type Contract = Readonly<Record<string, RouteSpec>>

/** The operationId of a route in the OpenAPI document: `GET /videos/:id/description` becomes getVideosIdDescription. */
export function operationId(key: string): string {
  const [first, ...rest] = key
    .replace(/[^a-zA-Z]+/g, ' ')
    .trim()
    .split(' ')
  return first!.toLowerCase() + rest.map(word => word[0]!.toUpperCase() + word.slice(1)).join('')
}

/** Declares the routes of a feature. */
export function defineContract<const T extends Record<`${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`, RouteSpec>>(
  routes: T
): T {
  return routes
}
