import type { Agent } from 'undici'
import { config, instanceOrigin } from '../core/config.ts'
import { createGuardedAgent, assertUrlAllowed, ForbiddenAddressError } from './ssrf-guard.ts'
import { keyring } from './keyring.ts'
import type { Delivery } from './outgoing.query.ts'
import { signCavage, signRfc9421 } from './http-signature.ts'
import { isTransientError } from './transient-errors.ts'
import { OUTBOX } from './outbox-internals.ts'

/**
 * The outcome of a POST: accepted; the inbox is gone (410); refused (other 4xx), `unauthorized` if perhaps because of its signature; or to
 * be retried later, perhaps after `retryAfter` ms, `rateLimited` if it was a 429; or nothing was sent, as it cannot be signed.
 */
export type DeliveryOutcome =
  | { kind: 'arrived'; scheme: SignatureScheme }
  | { kind: 'gone' }
  | { kind: 'refused'; error: string; unauthorized?: boolean }
  | { kind: 'later'; error: string; retryAfter?: number; rateLimited?: boolean }
  | { kind: 'unsignable'; error: string }
type SignatureScheme = 'cavage' | 'rfc9421'

const CONTENT_TYPE = 'application/activity+json'
/** Status codes that may mean that the other signature scheme is required. */
const RETRY_WITH_OTHER_SCHEME = new Set([400, 401, 403])
const MAX_RESPONSE_BODY = 16_384

let pool: Promise<Agent> | null = null

/** Posts an activity to an inbox, signed with the scheme its host accepts; if that is refused, once more with the other scheme. */
export async function postDelivery(delivery: Delivery): Promise<DeliveryOutcome> {
  const firstScheme: SignatureScheme = delivery.signature ?? 'cavage'
  const result = await postSigned(delivery, firstScheme)
  if (result.kind !== 'status') return result
  if (!RETRY_WITH_OTHER_SCHEME.has(result.status)) return outcomeOf(result, firstScheme)
  const secondScheme: SignatureScheme = firstScheme === 'cavage' ? 'rfc9421' : 'cavage'
  const secondResult = await postSigned(delivery, secondScheme)
  return secondResult.kind === 'status' && secondResult.status < 300
    ? { kind: 'arrived', scheme: secondScheme }
    : outcomeOf(result, firstScheme)
}

type ResponseStatus = { kind: 'status'; status: number; retryAfter: string | undefined }

async function signPost({ inbox_url, actor, body, digest }: Delivery, scheme: SignatureScheme): Promise<Record<string, string>> {
  const signer = await keyring.signer(actor)
  return await (scheme === 'cavage'
    ? signCavage({ method: 'POST', url: inbox_url, digest, signer })
    : signRfc9421({ method: 'POST', url: inbox_url, body, signer }))
}

async function postSigned(
  delivery: Delivery,
  scheme: SignatureScheme
): Promise<ResponseStatus | Extract<DeliveryOutcome, { kind: 'later' | 'refused' | 'unsignable' }>> {
  const { inbox_url, body } = delivery
  const { concurrency } = config.federation.outbox
  const { perHost, connectTimeout, timeout } = OUTBOX
  const signatureHeaders = await signPost(delivery, scheme).catch((error: Error) => {
    if (isTransientError(error)) throw error
    return error
  })
  if (signatureHeaders instanceof Error) return { kind: 'unsignable', error: signatureHeaders.message }
  pool ??= createGuardedAgent({
    connections: perHost,
    pipelining: 1,
    connectTimeout,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    keepAliveTimeout: 1000,
    keepAliveMaxTimeout: 2000,
    maxCachedSessions: concurrency
  })
  try {
    assertUrlAllowed(new URL(inbox_url))
    const { request } = await import('undici')
    const {
      statusCode,
      headers,
      body: responseBody
    } = await request(inbox_url, {
      method: 'POST',
      body,
      dispatcher: await pool,
      signal: AbortSignal.timeout(timeout),
      headers: { ...signatureHeaders, 'content-type': CONTENT_TYPE, accept: CONTENT_TYPE, 'user-agent': `Bobine (+${instanceOrigin()})` }
    })
    await responseBody.dump({ limit: MAX_RESPONSE_BODY }).catch(() => undefined)
    return { kind: 'status', status: statusCode, retryAfter: headers['retry-after'] as string | undefined }
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause ?? error
    if (cause instanceof ForbiddenAddressError) return { kind: 'refused', error: cause.message }
    return { kind: 'later', error: (error as Error).message || String((error as NodeJS.ErrnoException).code) }
  }
}

function outcomeOf({ status, retryAfter }: ResponseStatus, scheme: SignatureScheme): DeliveryOutcome {
  if (status < 300) return { kind: 'arrived', scheme }
  if (status === 410) return { kind: 'gone' }
  const retryAfterMs = parseRetryAfter(retryAfter)
  // A rate limit is no failure of the host.
  if (status === 429) return { kind: 'later', error: 'It answers 429', retryAfter: retryAfterMs, rateLimited: true }
  if (status >= 500 || status === 408) return { kind: 'later', error: `It answers ${status}`, retryAfter: retryAfterMs }
  // Servers that could not fetch our key answer 401 or 403 as well.
  return { kind: 'refused', error: `It answers ${status}`, unauthorized: status === 401 || status === 403 }
}

/** Parses Retry-After (RFC 9110 §10.2.3) into ms, at most `OUTBOX.maxRetryDelay`. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, OUTBOX.maxRetryDelay) : undefined
}
