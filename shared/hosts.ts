import { z } from 'zod'

const MAX_NAME = 253
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?'
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'i')
const IPV6 = /^\[[0-9a-f:]{2,45}\]$/i

/**
 * Whether a text names a server as a URL does, in any case: a DNS name (with underscores, as some have), an IPv4 address or an IPv6 address
 * in brackets, with its port where that is not the default. Other forms of addresses (`0x7f`, `[0::1]`) are none: no server is known by them.
 */
export function isHost(text: string): boolean {
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false
  if (!(name.startsWith('[') ? IPV6.test(name) : name.length <= MAX_NAME && NAME.test(name))) return false
  return URL.canParse(`http://${name}/`) && new URL(`http://${name}/`).hostname === name.toLowerCase()
}

/** The name of a server, in any case. */
export function hostParam(message = 'Should have a valid host') {
  return z
    .string(message)
    .refine(isHost, message)
    .meta({ override: { type: 'string', description: 'example.org or example.org:8443' } })
}
