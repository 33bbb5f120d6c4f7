import type { z } from 'zod'
import type { abusesContract } from '../../shared/abuses.ts'
import type { accountsContract } from '../../shared/accounts.ts'
import type { administrationContract } from '../../shared/administration.ts'
import type { channelsContract } from '../../shared/channels.ts'
import type { commentsContract } from '../../shared/comments.ts'
import type { RouteSpec } from '../../shared/contract.ts'
import type { federationContract } from '../../shared/federation.ts'
import type { followsContract, subscriptionsContract, subscriptionVideosContract } from '../../shared/follows.ts'
import type { instanceContract } from '../../shared/instance.ts'
import type { reactionsContract } from '../../shared/reactions.ts'
import type { searchContract } from '../../shared/search.ts'
import type { transcodingContract } from '../../shared/transcoding.ts'
import type { uploadsContract } from '../../shared/uploads.ts'
import type { videosContract } from '../../shared/videos.ts'
import type { viewsContract } from '../../shared/views.ts'
import { ApiError, parseErrorResponse } from './api-error.ts'
import { accessToken, refreshSession } from './credentials.ts'
import { consumeInitialResponse } from './initial-data.ts'

type Contracts = typeof abusesContract &
  typeof accountsContract &
  typeof administrationContract &
  typeof channelsContract &
  typeof commentsContract &
  typeof federationContract &
  typeof followsContract &
  typeof instanceContract &
  typeof reactionsContract &
  typeof searchContract &
  typeof subscriptionsContract &
  typeof subscriptionVideosContract &
  typeof transcodingContract &
  typeof uploadsContract &
  typeof videosContract &
  typeof viewsContract
/** Every route of the server, keyed `METHOD /path` below /api/v1. */
export type ApiRoute = keyof Contracts

type Has<K extends ApiRoute, Part extends keyof RouteSpec> = Contracts[K] extends Record<Part, infer T> ? T : undefined
type Out<T> = T extends z.ZodType ? z.output<T> : undefined
type AllOptional<T> = Partial<T> extends T ? true : false
type Asked<Name extends string, T> = T extends z.ZodType
  ? AllOptional<z.output<T>> extends true
    ? { [N in Name]?: z.output<T> }
    : { [N in Name]: z.output<T> }
  : { [N in Name]?: undefined }

/** What a call takes, as its declaration says; `files` travel as multipart, `form` as urlencoded fields. */
export type ApiCallOptions<K extends ApiRoute> = Asked<'params', Has<K, 'params'>> &
  Asked<'query', Has<K, 'query'>> &
  Asked<'body', Has<K, 'body'>> &
  (Has<K, 'files'> extends infer F extends object ? { files?: { [N in keyof F]?: Blob } } : { files?: undefined }) &
  (Has<K, 'form'> extends true ? { form: true } : { form?: undefined }) & { headers?: Record<string, string>; signal?: AbortSignal }

/** The answer of a route. */
export type ApiResponse<K extends ApiRoute> = Out<Has<K, 'response'>>

const PATIENCE = 3
const LONGEST_WAIT = 10

type Loose = {
  params?: object
  query?: object
  body?: unknown
  files?: object
  form?: true
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** Calls a route; throws ApiError for every refusal and for a lost connection. */
export async function api<K extends ApiRoute>(
  route: K,
  ...[options]: AllOptional<ApiCallOptions<K>> extends true ? [options?: ApiCallOptions<K>] : [options: ApiCallOptions<K>]
): Promise<ApiResponse<K>> {
  const url = apiUrl(route, options as ApiCallOptions<K>)
  if (route.startsWith('GET ')) {
    const known = consumeInitialResponse(url)
    if (known !== undefined) return known as ApiResponse<K>
  }
  const response = await sendRequest(route, (options ?? {}) as Loose)
  return (response.status === 204 ? undefined : await response.json()) as ApiResponse<K>
}

/** Calls a route and gives the whole response, for those whose headers matter. */
export async function sendRequest(route: ApiRoute, options: Loose = {}): Promise<Response> {
  const method = route.split(' ', 1)[0]!
  const url = apiUrl(route, options as never)
  const token = accessToken()
  let response = await request(method, url, options, token)
  if (response.status === 401 && token && (await isTokenRefused(response))) {
    response = await request(method, url, options, await refreshSession(token))
  }
  // A question may be asked again, so it waits out a limit; an act is the person's to repeat.
  for (let tries = 0; response.status === 429 && method === 'GET' && tries < PATIENCE; tries++) {
    await new Promise(resolve => setTimeout(resolve, 1000 * Math.min(LONGEST_WAIT, Number(response.headers.get('Retry-After')) || 1)))
    response = await request(method, url, options, accessToken())
  }
  if (!response.ok) throw await parseErrorResponse(response)
  return response
}

/** The address of a call, path and query, below the origin. */
export function apiUrl<K extends ApiRoute>(route: K, options?: ApiCallOptions<K>): string {
  const { params, query } = (options ?? {}) as Loose
  const path = route
    .slice(route.indexOf(' ') + 1)
    .replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String((params as Record<string, unknown>)[name])))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) search.append(name, String(one))
  }
  return `/api/v1${path}${search.size > 0 ? `?${search}` : ''}`
}

async function request(
  method: string,
  url: string,
  { body, files, form, headers, signal }: Loose,
  token: string | null
): Promise<Response> {
  const all = new Headers(headers)
  if (token) all.set('Authorization', `Bearer ${token}`)
  try {
    return await fetch(url, { method, headers: all, body: encode(body, files, form, all), signal })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'network', 'The server cannot be reached')
  }
}

function encode(body: unknown, files: object | undefined, form: true | undefined, headers: Headers): BodyInit | undefined {
  if (files && Object.values(files).some(Boolean)) {
    const data = new FormData()
    for (const [name, value] of Object.entries(body ?? {})) append(data, name, value)
    for (const [name, file] of Object.entries(files)) if (file) data.append(name, file as Blob)
    return data
  }
  if (body === undefined) return undefined
  if (form) return new URLSearchParams(Object.entries(body as object).filter(([, value]) => value !== undefined))
  headers.set('Content-Type', 'application/json')
  return JSON.stringify(body)
}

function append(data: FormData, name: string, value: unknown): void {
  if (value === undefined) return
  if (Array.isArray(value)) value.forEach(one => append(data, `${name}[]`, one))
  else if (value instanceof Date) data.append(name, value.toISOString())
  else if (value !== null && typeof value === 'object')
    for (const [key, inner] of Object.entries(value)) append(data, `${name}[${key}]`, inner)
  else data.append(name, value === null ? '' : String(value))
}

/** Not every 401 is about the token: a wrong current password is one, too. */
async function isTokenRefused(response: Response): Promise<boolean> {
  const problem = await parseErrorResponse(response.clone())
  return problem.code !== 'current_password_is_invalid'
}
