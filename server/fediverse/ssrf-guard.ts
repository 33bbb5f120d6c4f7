import { lookup as resolveName, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Agent } from 'undici'
import { config } from '../core/config.ts'

/** An address that may not be asked: private, odd port, no http. */
export class ForbiddenAddressError extends Error {}

const PORTS = new Set(['', '80', '443'])
/** All that is given out of IPv6 until now (RFC 4291, 2.4). */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3')

/**
 * Whether an IP address is one of the open Internet; mapped, translated and tunnelled ones are not
 * (docs/federation.md#public-addresses-only).
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const found = ipaddr.process(address)
  return found.range() === 'unicast' && (found.kind() === 'ipv4' || found.match(GLOBAL_IPV6))
}

/** Throws `Forbidden` for an address whose port or literal host may not be asked; names are looked at when they are resolved. */
export function assertUrlAllowed(url: URL): void {
  if (!['http:', 'https:'].includes(url.protocol)) throw new ForbiddenAddressError(`${url.protocol} is not asked`)
  if (!config.federation.prevent_ssrf) return
  if (!PORTS.has(url.port)) throw new ForbiddenAddressError(`Port ${url.port} is not asked`)
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(literal) && !isPublicAddress(literal)) throw new ForbiddenAddressError(`${literal} is no public address`)
}

/**
 * Resolves a name to public addresses only; the socket is opened to what was checked, so a name that changes its mind gains nothing
 * (docs/federation.md#dns-rebinding).
 */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  resolveName(hostname, { ...options, all: true }, (error, found) => {
    const addresses = found as unknown as LookupAddress[]
    if (error) return callback(error, '', 0)
    const allowed = config.federation.prevent_ssrf ? addresses.filter(({ address }) => isPublicAddress(address)) : addresses
    const [first] = allowed
    if (!first) return callback(new ForbiddenAddressError(`${hostname} has no public address`), '', 0)
    if (options.all) callback(null, allowed)
    else callback(null, first.address, first.family)
  })
}

/** A pool of connections through which only the open Internet can be reached. */
export async function createGuardedAgent(
  options: Omit<Agent.Options, 'connect'> & { connectTimeout?: number; rejectUnauthorized?: boolean } = {}
): Promise<Agent> {
  // Nobody waits for it at a start.
  const { Agent } = await import('undici')
  const { connectTimeout = config.federation.fetch.connect_timeout, rejectUnauthorized, ...rest } = options
  return new Agent({
    keepAliveTimeout: 4000,
    ...rest,
    connect: { lookup: guardedLookup, timeout: connectTimeout, ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }) }
  })
}
