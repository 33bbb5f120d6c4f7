import type { IncomingHttpHeaders } from 'node:http'
import { instanceHost, instanceOrigin } from '../core/config.ts'
import type { ParsedSignature } from './cavage.ts'
import { sha256Base64, signText } from './keys.ts'
import type { Signer } from './keyring.ts'
import { RejectedRequestError } from './rejected-request.ts'

/** No text can be read by it in two ways, so that none takes long (docs/federation.md#slow-peers). */
const INPUT = /^([a-z*][\w.*-]*)=(\(([^()]*)\)((?:;[a-z*][\w.*-]*(?:=(?:"(?:[^"\\]|\\.)*"|-?[\w:]+|\?[01]))?)*))$/

/** Headers that sign a request as RFC 9421 says, over method, address, date and digest. */
export async function signRfc9421({
  method,
  url,
  body,
  signer,
  date = new Date()
}: {
  method: string
  url: string
  body?: string
  signer: Signer
  date?: Date
}): Promise<Record<string, string>> {
  const headers: Record<string, string> = {
    date: date.toUTCString(),
    ...(body === undefined ? {} : { 'content-digest': `sha-256=:${sha256Base64(body)}:` })
  }
  const components = ['@method', '@target-uri', ...Object.keys(headers)]
  const algorithm = signer.privateKey.asymmetricKeyType === 'rsa' ? 'rsa-v1_5-sha256' : 'ed25519'
  const params = `(${components.map(name => `"${name}"`).join(' ')});created=${Math.floor(date.getTime() / 1000)};keyid="${signer.keyId}";alg="${algorithm}"`
  const values: Record<string, string> = { '@method': method, '@target-uri': new URL(url).href, ...headers }
  const text = base(
    components.map(name => [name, values[name]!]),
    params
  )
  return {
    ...headers,
    host: new URL(url).host,
    'signature-input': `sig1=${params}`,
    signature: `sig1=:${await signText(text, signer.privateKey)}:`
  }
}

/** Reads the signature of a request; method, address and, of a POST, the digest must be covered. Throws Refused 401. */
export function parseRfc9421Signature({
  method,
  path,
  headers
}: {
  method: string
  path: string
  headers: IncomingHttpHeaders
}): ParsedSignature {
  const [, label, params, list, tail] = INPUT.exec(firstOf(String(headers['signature-input']))) ?? []
  if (!label || !params || list === undefined) throw new RejectedRequestError(401, 'The Signature-Input cannot be read')
  const covered =
    list.trim() === ''
      ? []
      : list
          .trim()
          .split(/\s+/)
          .map(name => /^"([@a-z0-9!#$%&'*+.^_`|~-]+)"$/.exec(name)?.[1] ?? unreadable(name))
  if (new Set(covered).size !== covered.length) throw new RejectedRequestError(401, 'The Signature-Input names something twice')
  const addressed =
    covered.includes('@target-uri') ||
    ((covered.includes('@authority') || covered.includes('host')) && (covered.includes('@path') || covered.includes('@request-target')))
  if (!covered.includes('@method') || !addressed) throw new RejectedRequestError(401, 'The signature does not cover method and address')
  if (method === 'POST' && !covered.includes('content-digest') && !covered.includes('digest'))
    throw new RejectedRequestError(401, 'The signature does not cover the digest')
  const given = parametersOf(tail ?? '')
  const signature = new RegExp(`(?:^|,)\\s*${label.replace(/[.*]/g, '\\$&')}=:([A-Za-z0-9+/=]+):`).exec(String(headers.signature))?.[1]
  if (!given.keyid || !signature) throw new RejectedRequestError(401, 'The signature has no key or no value')
  const text = base(
    covered.map(name => [name, valueOf(name, method, path, headers)]),
    params
  )
  return {
    keyId: given.keyid,
    signature,
    text,
    covered,
    algorithm: given.alg ?? '',
    created: given.created === undefined ? undefined : Number(given.created),
    ...(given.expires === undefined ? {} : { expires: Number(given.expires) })
  }
}

const base = (lines: [string, string][], params: string): string =>
  [...lines.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${params}`].join('\n')

/** The first of several signatures; a comma within quotes or brackets parts nothing. */
function firstOf(header: string): string {
  return /^(?:[^,"()]|"(?:[^"\\]|\\.)*"|\((?:[^"()]|"(?:[^"\\]|\\.)*")*\))*/.exec(header)![0].trim()
}

function parametersOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/;([a-z*][\w.*-]*)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g)].map(([, name, quoted, bare]) => [name!, quoted ?? bare!])
  )
}

function valueOf(name: string, method: string, path: string, headers: IncomingHttpHeaders): string {
  const [pathname, query] = [path.split('?', 1)[0]!, path.includes('?') ? path.slice(path.indexOf('?')) : '?']
  switch (name) {
    case '@method':
      return method
    // The host is ours, not what the request says: a signature for another host does not fit.
    case '@target-uri':
      return instanceOrigin() + path
    case '@authority':
      return instanceHost()
    case '@scheme':
      return new URL(instanceOrigin()).protocol.slice(0, -1)
    case '@request-target':
      return path
    case '@path':
      return pathname
    case '@query':
      return query
    case 'host':
      return instanceHost()
    default:
      return headers[name] === undefined || name.startsWith('@') ? unreadable(name) : String(headers[name]).trim().replace(/\s+/g, ' ')
  }
}

function unreadable(name: string): never {
  throw new RejectedRequestError(401, `The signature covers ${name.slice(0, 100)}, which is not there`)
}
