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
import type { playlistsContract } from '../../shared/playlists.ts'
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
  typeof playlistsContract &
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

type SpecOf<K extends ApiRoute, Part extends keyof RouteSpec> = Contracts[K] extends Record<Part, infer T> ? T : undefined
type OutputOf<T> = T extends z.ZodType ? z.output<T> : undefined
type AllOptional<T> = Partial<T> extends T ? true : false
type RequestPart<Name extends string, T> = T extends z.ZodType
  ? AllOptional<z.output<T>> extends true
    ? { [N in Name]?: z.output<T> }
    : { [N in Name]: z.output<T> }
  : { [N in Name]?: undefined }

/** The options of a call, from the contract of its route; `files` are sent as multipart, `form` as urlencoded fields. */
export type ApiCallOptions<K extends ApiRoute> = RequestPart<'params', SpecOf<K, 'params'>> &
  RequestPart<'query', SpecOf<K, 'query'>> &
  RequestPart<'body', SpecOf<K, 'body'>> &
  (SpecOf<K, 'files'> extends infer F extends object ? { files?: { [N in keyof F]?: Blob } } : { files?: undefined }) &
  (SpecOf<K, 'form'> extends true ? { form: true } : { form?: undefined }) & { headers?: Record<string, string>; signal?: AbortSignal }

/** The response body of a route. */
export type ApiResponse<K extends ApiRoute> = OutputOf<SpecOf<K, 'response'>>

const MAX_RATE_LIMIT_RETRIES = 3
const MAX_RETRY_WAIT_SECONDS = 10

type UntypedCallOptions = {
  params?: object
  query?: object
  body?: unknown
  files?: object
  form?: true
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** Calls a route and returns the response body. Throws ApiError for every error response and for a failed connection. */
export async function api<K extends ApiRoute>(
  route: K,
  ...[options]: AllOptional<ApiCallOptions<K>> extends true ? [options?: ApiCallOptions<K>] : [options: ApiCallOptions<K>]
): Promise<ApiResponse<K>> {
  const url = apiUrl(route, options as ApiCallOptions<K>)
  if (route.startsWith('GET ')) {
    const initialResponse = consumeInitialResponse(url)
    if (initialResponse !== undefined) return initialResponse as ApiResponse<K>
  }
  const response = await sendRequest(route, (options ?? {}) as UntypedCallOptions)
  return (response.status === 204 ? undefined : await response.json()) as ApiResponse<K>
}

/** Calls a route and returns the whole response, for callers that need its headers. Throws like `api`. */
export async function sendRequest(route: ApiRoute, options: UntypedCallOptions = {}): Promise<Response> {
  const method = route.split(' ', 1)[0]!
  const url = apiUrl(route, options as never)
  const token = accessToken()
  let response = await fetchApi(method, url, options, token)
  if (response.status === 401 && token && (await isTokenRefused(response))) {
    response = await fetchApi(method, url, options, await refreshSession(token))
  }
  // GET is safe to repeat, so it is retried after a rate limit; other methods are repeated by the user.
  for (let retries = 0; response.status === 429 && method === 'GET' && retries < MAX_RATE_LIMIT_RETRIES; retries++) {
    await new Promise(resolve =>
      setTimeout(resolve, 1000 * Math.min(MAX_RETRY_WAIT_SECONDS, Number(response.headers.get('Retry-After')) || 1))
    )
    response = await fetchApi(method, url, options, accessToken())
  }
  if (!response.ok) throw await parseErrorResponse(response)
  return response
}

/** Returns the URL of a call below the origin: path and query. */
export function apiUrl<K extends ApiRoute>(route: K, options?: ApiCallOptions<K>): string {
  const { params, query } = (options ?? {}) as UntypedCallOptions
  const path = route
    .slice(route.indexOf(' ') + 1)
    .replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String((params as Record<string, unknown>)[name])))
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined && item !== null) search.append(name, String(item))
  }
  return `/api/v1${path}${search.size > 0 ? `?${search}` : ''}`
}

async function fetchApi(
  method: string,
  url: string,
  { body, files, form, headers, signal }: UntypedCallOptions,
  token: string | null
): Promise<Response> {
  const requestHeaders = new Headers(headers)
  if (token) requestHeaders.set('Authorization', `Bearer ${token}`)
  try {
    return await fetch(url, { method, headers: requestHeaders, body: encodeBody(body, files, form, requestHeaders), signal })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'network', 'The server cannot be reached')
  }
}

function encodeBody(body: unknown, files: object | undefined, form: true | undefined, headers: Headers): BodyInit | undefined {
  if (files && Object.values(files).some(Boolean)) {
    const data = new FormData()
    for (const [name, value] of Object.entries(body ?? {})) appendFormField(data, name, value)
    for (const [name, file] of Object.entries(files)) if (file) data.append(name, file as Blob)
    return data
  }
  if (body === undefined) return undefined
  if (form) return new URLSearchParams(Object.entries(body as object).filter(([, value]) => value !== undefined))
  headers.set('Content-Type', 'application/json')
  return JSON.stringify(body)
}

function appendFormField(data: FormData, name: string, value: unknown): void {
  if (value === undefined) return
  if (Array.isArray(value)) value.forEach(item => appendFormField(data, `${name}[]`, item))
  else if (value instanceof Date) data.append(name, value.toISOString())
  else if (value !== null && typeof value === 'object')
    for (const [key, inner] of Object.entries(value)) appendFormField(data, `${name}[${key}]`, inner)
  else data.append(name, value === null ? '' : String(value))
}

/** Whether a 401 means that the access token is invalid: the server answers a wrong current password with 401, too. */
async function isTokenRefused(response: Response): Promise<boolean> {
  const problem = await parseErrorResponse(response.clone())
  return problem.code !== 'current_password_is_invalid'
}
