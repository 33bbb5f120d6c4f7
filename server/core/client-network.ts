import { isIPv4, isIPv6 } from 'node:net'

/**
 * Returns the key under which requests of an IP address are counted by every limit: an IPv4 address itself (also where it is written as an
 * IPv4-mapped IPv6 address), of an IPv6 address its /64, as one client has all addresses of it.
 */
export function clientNetwork(ip: string | undefined): string {
  const address = unmappedIp(ip)
  if (typeof address === 'string') return address
  return `${toText(address.slice(0, 4))}::/64`
}

/** Returns an IP address without what tells one client from its neighbours: the /24 of an IPv4 address, the /48 of an IPv6 address. */
export function anonymizeIp(ip: string): string {
  const address = unmappedIp(ip)
  if (typeof address !== 'string') return `${toText(address.slice(0, 3))}::`
  return isIPv4(address) ? address.replace(/\d+$/, '0') : ''
}

/** An IPv4 address (or what is no address) as a text, an IPv6 address as its eight groups. */
function unmappedIp(ip: string | undefined): string | number[] {
  // The zone of a link-local address names an interface of this machine.
  const address = (ip ?? '').replace(/%.*$/, '')
  if (!isIPv6(address)) return address
  const groups = groupsOf(address)
  const isMapped = groups.slice(0, 5).every(group => group === 0) && groups[5] === 0xffff
  return isMapped
    ? groups
        .slice(6)
        .flatMap(group => [group >> 8, group & 0xff])
        .join('.')
    : groups
}

function groupsOf(ipv6: string): number[] {
  // URLs hold addresses in one form: RFC 5952, with an IPv4 part as hexadecimal groups.
  const [head = '', tail] = new URL(`http://[${ipv6}]`).hostname.slice(1, -1).split('::')
  const parse = (part: string) => (part === '' ? [] : part.split(':').map(group => parseInt(group, 16)))
  const [first, last] = [parse(head), parse(tail ?? '')]
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}

const toText = (groups: number[]): string => groups.map(group => group.toString(16)).join(':')
