import { lookup as resolveName, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Agent } from 'undici'
import { config } from '../core/config.ts'
import { FETCH } from './fetch-internals.ts'

/** Thrown for a URL that must not be requested: private address, unusual port, not http(s). */
export class ForbiddenAddressError extends Error {}

const ALLOWED_PORTS = new Set(['', '80', '443'])
/** All of IPv6 that is allocated as global unicast until now (RFC 4291 §2.4). */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3')

/** Whether an IP address is public; mapped, translated and tunnelled ones are not (docs/federation.md#public-addresses-only). */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return parsed.range() === 'unicast' && (parsed.kind() === 'ipv4' || parsed.match(GLOBAL_IPV6))
}

/**
 * Throws ForbiddenAddressError for a URL whose scheme, port or literal IP address is not allowed; names are checked when they are resolved.
 */
export function assertUrlAllowed(url: URL): void {
  if (!['http:', 'https:'].includes(url.protocol)) throw new ForbiddenAddressError(`${url.protocol} is not asked`)
  if (!config.federation.prevent_ssrf) return
  if (!ALLOWED_PORTS.has(url.port)) throw new ForbiddenAddressError(`Port ${url.port} is not asked`)
  const literalHost = url.hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(literalHost) && !isPublicAddress(literalHost)) throw new ForbiddenAddressError(`${literalHost} is no public address`)
}

/**
 * Resolves a name to public addresses only; the socket connects to the address that was checked, which defeats DNS rebinding
 * (docs/federation.md#dns-rebinding).
 */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, resolved) => {
    const addresses = resolved as unknown as LookupAddress[]
    if (error) return callback(error, '', 0)
    const allowed = config.federation.prevent_ssrf ? addresses.filter(({ address }) => isPublicAddress(address)) : addresses
    const [first] = allowed
    if (!first) return callback(new ForbiddenAddressError(`${hostname} has no public address`), '', 0)
    if (options.all) callback(null, allowed)
    else callback(null, first.address, first.family)
  })
}

/** Creates a connection pool that reaches only public addresses. */
export async function createGuardedAgent(
  options: Omit<Agent.Options, 'connect'> & { connectTimeout?: number; rejectUnauthorized?: boolean } = {}
): Promise<Agent> {
  // Imported on first use to keep the start fast.
  const { Agent } = await import('undici')
  const { connectTimeout = FETCH.connectTimeout, rejectUnauthorized, ...rest } = options
  return new Agent({
    keepAliveTimeout: 4000,
    ...rest,
    connect: { lookup: guardedLookup, timeout: connectTimeout, ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }) }
  })
}
