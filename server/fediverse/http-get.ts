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
import { FETCH } from './fetch-internals.ts'

/** A response with status 200 whose body is still to be read. */
export type RemoteResponse = {
  url: string
  type: string
  /** Yields the body, decompressed. Throws FetchError `invalid` beyond `maxSize` bytes, `unreachable` when it is too slow. */
  read(maxSize: number): AsyncGenerator<Buffer>
  discard(): void
}

type GetOptions = { accept: string; budget: FetchBudget; signed: boolean }

let agent: Promise<Agent> | null = null
/** Hosts that require RFC 9421; bounded. */
const rfc9421Hosts = new Set<string>()
const MAX_RFC9421_HOSTS = 5000
/** How long (ms) a body may be slower than `FETCH.minRate`. */
const MIN_RATE_GRACE = 3000
const MAX_DISCARDED_BYTES = 65_536

/**
 * Sends a GET request and follows redirects: each hop checked and signed anew, never from https to http, never twice to one URL
 * (docs/federation.md#redirects). Throws FetchError.
 */
export async function httpGet(address: string, options: GetOptions): Promise<RemoteResponse> {
  const { maxRedirects, timeout, redirectsTimeout } = FETCH
  const startedAt = Date.now()
  const visited = new Set<string>()
  let url = new URL(address)
  for (let hop = 0; hop <= maxRedirects; hop++) {
    if (visited.has(url.href)) throw new FetchError('invalid', `${address} leads round in circles`)
    visited.add(url.href)
    const signal = AbortSignal.timeout(Math.max(1, Math.min(timeout, redirectsTimeout - (Date.now() - startedAt))))
    const response = await requestOnce(url, options, signal)
    const location = response.headers.location
    if (response.statusCode < 300 || response.statusCode >= 400 || typeof location !== 'string')
      return toRemoteResponse(url, response, signal)
    discard(response.body)
    const next = parseUrl(location, url.href)
    if (!next || (url.protocol === 'https:' && next.protocol !== 'https:'))
      throw new FetchError('refused', `${address} leads to where nobody is asked`)
    next.hash = ''
    url = next
  }
  throw new FetchError('invalid', `${address} leads on and on`)
}

async function requestOnce(url: URL, { accept, budget, signed }: GetOptions, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  if (url.username || url.password) throw new FetchError('refused', 'Addresses with passwords are not asked')
  if (url.origin === new URL(instanceOrigin()).origin) throw new FetchError('refused', 'This is our own address')
  budget.spend()
  countHostRequest(url.host)
  const schemes =
    !signed || !config.federation.sign_federated_fetches
      ? [null]
      : rfc9421Hosts.has(url.host)
        ? (['rfc9421', 'cavage'] as const)
        : (['cavage', 'rfc9421'] as const)
  for (const [index, scheme] of schemes.entries()) {
    const response = await sendGet(url, { accept, ...(await signatureHeaders(url, scheme)) }, signal)
    if (![401, 403].includes(response.statusCode) || index === schemes.length - 1) {
      if (scheme === 'rfc9421' && response.statusCode < 400) rememberRfc9421Host(url.host)
      if (scheme === 'cavage' && response.statusCode < 400) rfc9421Hosts.delete(url.host)
      return response
    }
    discard(response.body)
  }
  throw new FetchError('forbidden', `${url.href} is not for us`)
}

async function signatureHeaders(url: URL, scheme: 'cavage' | 'rfc9421' | null): Promise<Record<string, string>> {
  if (!scheme) return {}
  const signer = await keyring.instance()
  return await (scheme === 'cavage'
    ? signCavage({ method: 'GET', url: url.href, signer })
    : signRfc9421({ method: 'GET', url: url.href, signer }))
}

async function sendGet(url: URL, headers: Record<string, string>, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
  const { headersTimeout, timeout } = FETCH
  agent ??= createGuardedAgent({
    headersTimeout: headersTimeout,
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
      dispatcher: await agent,
      signal,
      headersTimeout: headersTimeout
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

function toRemoteResponse(url: URL, { statusCode, headers, body }: Dispatcher.ResponseData, signal: AbortSignal): RemoteResponse {
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
    const isHtml = /^(text\/html|application\/xhtml\+xml)/i.test(String(headers['content-type'] ?? ''))
    throw new FetchError(kind, `${url.href} answers ${statusCode}`, { status: statusCode, isHtml })
  }
  return {
    url: url.href,
    type: String(headers['content-type'] ?? ''),
    read: maxSize => readBounded(url, headers, body, maxSize, signal),
    discard: () => discard(body)
  }
}

async function* readBounded(
  url: URL,
  headers: IncomingHttpHeaders,
  body: Readable,
  maxSize: number,
  signal: AbortSignal
): AsyncGenerator<Buffer> {
  const startedAt = Date.now()
  let size = 0
  const stream = decompress(String(headers['content-encoding'] ?? 'identity'), body, url)
  try {
    if (Number(headers['content-length'] ?? 0) > maxSize) throw new FetchError('invalid', `${url.href} is too large`)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxSize) throw new FetchError('invalid', `${url.href} is too large`)
      const elapsed = Date.now() - startedAt
      if (elapsed > MIN_RATE_GRACE && size / (elapsed / 1000) < FETCH.minRate)
        throw new FetchError('unreachable', `${url.href} is too slow`)
      yield chunk
    }
    if (signal.aborted) throw new FetchError('unreachable', `${url.href} takes too long`)
  } catch (error) {
    throw asFetchError(error, url)
  } finally {
    body.destroy()
    stream.destroy()
  }
}

function decompress(encoding: string, body: Readable, url: URL): Readable {
  const decompressors: Record<string, (() => NodeJS.ReadWriteStream) | undefined> = {
    gzip: createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress
  }
  const name = encoding.toLowerCase().trim()
  if (name === 'identity' || name === '') return body
  const createDecompressor = decompressors[name]
  if (!createDecompressor) throw new FetchError('invalid', `${url.href} is packed in an unknown way`)
  const decompressor = createDecompressor() as unknown as Readable & NodeJS.WritableStream
  body.on('error', error => decompressor.destroy(error))
  body.pipe(decompressor)
  return decompressor
}

function discard(body: Dispatcher.ResponseData['body']): void {
  body.dump({ limit: MAX_DISCARDED_BYTES }).catch(() => undefined)
}

function rememberRfc9421Host(host: string): void {
  rfc9421Hosts.add(host)
  if (rfc9421Hosts.size > MAX_RFC9421_HOSTS) rfc9421Hosts.delete(rfc9421Hosts.values().next().value!)
}
