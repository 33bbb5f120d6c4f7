import type { Agent } from 'undici'
import { config, instanceOrigin } from '../core/config.ts'
import { createGuardedAgent, assertUrlAllowed, ForbiddenAddressError } from './ssrf-guard.ts'
import { keyring } from './keyring.ts'
import type { Delivery } from './outgoing.query.ts'
import { signCavage, signRfc9421 } from './http-signature.ts'

/**
 * How a POST ended: taken; no more wanted there (410); refused (other 4xx), perhaps because of its signature; or not now, perhaps with the
 * time to wait in ms.
 */
export type DeliveryOutcome =
  | { kind: 'arrived'; scheme: Scheme }
  | { kind: 'gone' }
  | { kind: 'refused'; error: string; mistrusted?: boolean }
  | { kind: 'later'; error: string; wait?: number; busy?: boolean }
type Scheme = 'cavage' | 'rfc9421'

const CONTENT_TYPE = 'application/activity+json'
/** Answers that may mean that the other kind of signature is wanted. */
const KNOCK_AGAIN = new Set([400, 401, 403])
const MAX_ANSWER = 16_384

let pool: Promise<Agent> | null = null

/** Posts an activity to an inbox, signed as its host likes it; where it is refused as unsigned, once more with the other kind. */
export async function postDelivery(delivery: Delivery): Promise<DeliveryOutcome> {
  const first: Scheme = delivery.signature ?? 'cavage'
  const answer = await once(delivery, first)
  if (answer.kind !== 'status') return answer
  if (!KNOCK_AGAIN.has(answer.status)) return judge(answer, first)
  const second: Scheme = first === 'cavage' ? 'rfc9421' : 'cavage'
  const retried = await once(delivery, second)
  return retried.kind === 'status' && retried.status < 300 ? { kind: 'arrived', scheme: second } : judge(answer, first)
}

type Status = { kind: 'status'; status: number; retryAfter: string | undefined }

async function once(
  { inbox_url, actor, body, digest }: Delivery,
  scheme: Scheme
): Promise<Status | Extract<DeliveryOutcome, { kind: 'later' | 'refused' }>> {
  const { concurrency, per_host, connect_timeout, timeout } = config.federation.outbox
  pool ??= createGuardedAgent({
    connections: per_host,
    pipelining: 1,
    connectTimeout: connect_timeout,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    keepAliveTimeout: 1000,
    keepAliveMaxTimeout: 2000,
    maxCachedSessions: concurrency
  })
  try {
    assertUrlAllowed(new URL(inbox_url))
    const signer = await keyring.signer(actor)
    const signature = await (scheme === 'cavage'
      ? signCavage({ method: 'POST', url: inbox_url, digest, signer })
      : signRfc9421({ method: 'POST', url: inbox_url, body, signer }))
    const { request } = await import('undici')
    const {
      statusCode,
      headers,
      body: answer
    } = await request(inbox_url, {
      method: 'POST',
      body,
      dispatcher: await pool,
      signal: AbortSignal.timeout(timeout),
      headers: { ...signature, 'content-type': CONTENT_TYPE, accept: CONTENT_TYPE, 'user-agent': `Bobine (+${instanceOrigin()})` }
    })
    await answer.dump({ limit: MAX_ANSWER }).catch(() => undefined)
    return { kind: 'status', status: statusCode, retryAfter: headers['retry-after'] as string | undefined }
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause ?? error
    if (cause instanceof ForbiddenAddressError) return { kind: 'refused', error: cause.message }
    return { kind: 'later', error: (error as Error).message || String((error as NodeJS.ErrnoException).code) }
  }
}

function judge({ status, retryAfter }: Status, scheme: Scheme): DeliveryOutcome {
  if (status < 300) return { kind: 'arrived', scheme }
  if (status === 410) return { kind: 'gone' }
  const wait = waitOf(retryAfter)
  // Overloaded for the moment is no failure of the host.
  if (status === 429) return { kind: 'later', error: 'It answers 429', wait, busy: true }
  if (status >= 500 || status === 408) return { kind: 'later', error: `It answers ${status}`, wait }
  // So do servers that could not ask for our key.
  return { kind: 'refused', error: `It answers ${status}`, mistrusted: status === 401 || status === 403 }
}

/** Retry-After (RFC 9110 10.2.3) in ms. */
function waitOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, config.federation.outbox.max_retry_delay) : undefined
}
