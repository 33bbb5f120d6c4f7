import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import type { Agent, Dispatcher } from 'undici'
import { config, instanceOrigin } from '../core/config.ts'
import { parseUrl } from '../core/url.ts'
import { countHostRequest, FetchError, type FetchBudget } from './fetch-budget.ts'
import { createGuardedAgent, assertUrlAllowed, ForbiddenAddressError } from './ssrf-guard.ts'
import { keyring } from './keyring.ts'
import { signCavage, signRfc9421 } from './http-signature.ts'

/** A good answer whose body is still to be read. */
export type RemoteResponse = {
  url: string
  type: string
  /** The body, decompressed; throws FetchError 'invalid' beyond `maxSize` bytes, 'unreachable' when it is too slow. */
  read(maxSize: number): AsyncGenerator<Buffer>
  discard(): void
}

type Question = { accept: string; budget: FetchBudget; signed: boolean }

let pool: Promise<Agent> | null = null
/** Hosts that want RFC 9421; bounded. */
const modern = new Set<string>()
const MAX_MODERN = 5000
/** The first seconds of a slow answer are forgiven. */
const GRACE = 3000
const MAX_DISCARDED = 65_536

/**
 * Asks with GET, following redirects by the rules: each hop checked and signed anew, never back to http, never twice to one address
 * (docs/federation.md#redirects).
 */
export async function httpGet(address: string, question: Question): Promise<RemoteResponse> {
  const { max_redirects, timeout, redirects_timeout } = config.federation.fetch
  const began = Date.now()
  const visited = new Set<string>()
  let url = new URL(address)
  for (let hop = 0; hop <= max_redirects; hop++) {
    if (visited.has(url.href)) throw new FetchError('invalid', `${address} leads round in circles`)
    visited.add(url.href)
    const signal = AbortSignal.timeout(Math.max(1, Math.min(timeout, redirects_timeout - (Date.now() - began))))
    const response = await once(url, question, signal)
    const location = response.headers.location
    if (response.statusCode < 300 || response.statusCode >= 400 || typeof location !== 'string') return answered(url, response, signal)
    discard(response.body)
    const next = parseUrl(location, url.href)
    if (!next || (url.protocol === 'https:' && next.protocol !== 'https:'))
      throw new FetchError('refused', `${address} leads to where nobody is asked`)
    next.hash = ''
    url = next
  }
  throw new FetchError('invalid', `${address} leads on and on`)
}

async function once(url: URL, { accept, budget, signed }: Question, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  if (url.username || url.password) throw new FetchError('refused', 'Addresses with passwords are not asked')
  if (url.origin === new URL(instanceOrigin()).origin) throw new FetchError('refused', 'This is our own address')
  budget.spend()
  countHostRequest(url.host)
  const kinds =
    !signed || !config.federation.sign_federated_fetches
      ? [null]
      : modern.has(url.host)
        ? (['rfc9421', 'cavage'] as const)
        : (['cavage', 'rfc9421'] as const)
  for (const [index, kind] of kinds.entries()) {
    const response = await send(url, { accept, ...(await signature(url, kind)) }, signal)
    if (![401, 403].includes(response.statusCode) || index === kinds.length - 1) {
      if (kind === 'rfc9421' && response.statusCode < 400) noteModern(url.host)
      if (kind === 'cavage' && response.statusCode < 400) modern.delete(url.host)
      return response
    }
    discard(response.body)
  }
  throw new FetchError('forbidden', `${url.href} is not for us`)
}

async function signature(url: URL, kind: 'cavage' | 'rfc9421' | null): Promise<Record<string, string>> {
  if (!kind) return {}
  const signer = await keyring.instance()
  return await (kind === 'cavage'
    ? signCavage({ method: 'GET', url: url.href, signer })
    : signRfc9421({ method: 'GET', url: url.href, signer }))
}

async function send(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { headers_timeout, timeout } = config.federation.fetch
  pool ??= createGuardedAgent({
    headersTimeout: headers_timeout,
    bodyTimeout: timeout,
    connections: 16,
    pipelining: 1,
    maxHeaderSize: 32_768
  })
  try {
    assertUrlAllowed(url)
    const { request } = await import('undici')
    return await request(url, {
      headers: { 'user-agent': `Bobine (+${instanceOrigin()})`, 'accept-encoding': 'gzip, deflate, br', ...headers },
      dispatcher: await pool,
      signal,
      headersTimeout: headers_timeout
    })
  } catch (error) {
    throw asFetchError(error, url)
  }
}

function asFetchError(error: unknown, url: URL): FetchError {
  if (error instanceof FetchError) return error
  const cause = (error as { cause?: unknown }).cause ?? error
  if (cause instanceof ForbiddenAddressError) return new FetchError('refused', cause.message)
  return new FetchError('unreachable', `${url.host}: ${(error as Error).message}`)
}

function answered(url: URL, { statusCode, headers, body }: Dispatcher.ResponseData, signal: AbortSignal): RemoteResponse {
  if (statusCode !== 200) {
    discard(body)
    const kind =
      statusCode === 404
        ? 'missing'
        : statusCode === 410
          ? 'gone'
          : statusCode === 401 || statusCode === 403
            ? 'forbidden'
            : statusCode === 429 || statusCode >= 500 || statusCode === 408
              ? 'unreachable'
              : 'invalid'
    throw new FetchError(kind, `${url.href} answers ${statusCode}`, statusCode)
  }
  return {
    url: url.href,
    type: String(headers['content-type'] ?? ''),
    read: maxSize => bounded(url, headers, body, maxSize, signal),
    discard: () => discard(body)
  }
}

async function* bounded(
  url: URL,
  headers: IncomingHttpHeaders,
  body: Readable,
  maxSize: number,
  signal: AbortSignal
): AsyncGenerator<Buffer> {
  const began = Date.now()
  let size = 0
  const stream = decompressed(String(headers['content-encoding'] ?? 'identity'), body, url)
  try {
    if (Number(headers['content-length'] ?? 0) > maxSize) throw new FetchError('invalid', `${url.href} is too large`)
    for await (const piece of stream as AsyncIterable<Buffer>) {
      size += piece.length
      if (size > maxSize) throw new FetchError('invalid', `${url.href} is too large`)
      const took = Date.now() - began
      if (took > GRACE && size / (took / 1000) < config.federation.fetch.min_rate)
        throw new FetchError('unreachable', `${url.href} is too slow`)
      yield piece
    }
    if (signal.aborted) throw new FetchError('unreachable', `${url.href} takes too long`)
  } catch (error) {
    throw asFetchError(error, url)
  } finally {
    body.destroy()
    stream.destroy()
  }
}

function decompressed(encoding: string, body: Readable, url: URL): Readable {
  const makers: Record<string, (() => NodeJS.ReadWriteStream) | undefined> = {
    gzip: createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress
  }
  const name = encoding.toLowerCase().trim()
  if (name === 'identity' || name === '') return body
  const maker = makers[name]
  if (!maker) throw new FetchError('invalid', `${url.href} is packed in an unknown way`)
  const unpacking = maker() as unknown as Readable & NodeJS.WritableStream
  body.on('error', error => unpacking.destroy(error))
  body.pipe(unpacking)
  return unpacking
}

function discard(body: Dispatcher.ResponseData['body']): void {
  body.dump({ limit: MAX_DISCARDED }).catch(() => undefined)
}

function noteModern(host: string): void {
  modern.add(host)
  if (modern.size > MAX_MODERN) modern.delete(modern.values().next().value!)
}
