import { z } from 'zod'

const MAX_NAME = 253
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`, 'i')
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/
const IPV6 = /^\[[0-9a-f:.]{2,45}\]$/i

/**
 * Whether a text names a server: a DNS name, an IPv4 address or an IPv6 address in brackets, with its port where that is not the default.
 * A last label of digits alone would be an IPv4 address (URL Standard, 3.5).
 */
export function isHost(text: string): boolean {
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false
  if (IPV4.test(name)) return true
  if (name.startsWith('[')) return IPV6.test(name) && URL.canParse(`http://${name}/`)
  return name.length <= MAX_NAME && NAME.test(name) && !/(?:^|\.)\d+$/.test(name)
}

/** The name of a server, in any case. */
export function hostParam(message = 'Should have a valid host') {
  return z
    .string(message)
    .refine(isHost, message)
    .meta({ override: { type: 'string', description: 'example.org or example.org:8443' } })
}
