import type { IncomingHttpHeaders } from 'node:http'
import { instanceHost, instanceOrigin } from '../core/config.ts'
import type { ParsedSignature } from './cavage.ts'
import { sha256Base64, signText } from './keys.ts'
import type { Signer } from './keyring.ts'
import { RejectedRequestError } from './rejected-request.ts'

/** Unambiguous, so that matching takes linear time (docs/federation.md#slow-peers). */
const SIGNATURE_INPUT = /^([a-z*][\w.*-]*)=(\(([^()]*)\)((?:;[a-z*][\w.*-]*(?:=(?:"(?:[^"\\]|\\.)*"|-?[\w:]+|\?[01]))?)*))$/

/** Returns the headers that sign a request by RFC 9421, over method, URL, date and digest. */
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
  const covered = components.map(name => `"${name}"`).join(' ')
  const params = `(${covered});created=${Math.floor(date.getTime() / 1000)};keyid="${signer.keyId}";alg="${algorithm}"`
  const values: Record<string, string> = { '@method': method, '@target-uri': new URL(url).href, ...headers }
  const signingString = signatureBase(
    components.map(name => [name, values[name]!]),
    params
  )
  return {
    ...headers,
    host: new URL(url).host,
    'signature-input': `sig1=${params}`,
    signature: `sig1=:${await signText(signingString, signer.privateKey)}:`
  }
}

/** Parses the signature of a request; method, URL and, for POST, the digest must be covered. Throws RejectedRequestError 401. */
export function parseRfc9421Signature({
  method,
  path,
  headers
}: {
  method: string
  path: string
  headers: IncomingHttpHeaders
}): ParsedSignature {
  const [, label, params, componentList, parameterText] = SIGNATURE_INPUT.exec(firstSignature(String(headers['signature-input']))) ?? []
  if (!label || !params || componentList === undefined) throw new RejectedRequestError(401, 'The Signature-Input cannot be read')
  const covered =
    componentList.trim() === ''
      ? []
      : componentList
          .trim()
          .split(/\s+/)
          .map(name => /^"([@a-z0-9!#$%&'*+.^_`|~-]+)"$/.exec(name)?.[1] ?? missingComponent(name))
  if (new Set(covered).size !== covered.length) throw new RejectedRequestError(401, 'The Signature-Input names something twice')
  const coversUrl =
    covered.includes('@target-uri') ||
    ((covered.includes('@authority') || covered.includes('host')) && (covered.includes('@path') || covered.includes('@request-target')))
  if (!covered.includes('@method') || !coversUrl) throw new RejectedRequestError(401, 'The signature does not cover method and address')
  if (method === 'POST' && !covered.includes('content-digest') && !covered.includes('digest'))
    throw new RejectedRequestError(401, 'The signature does not cover the digest')
  const parameters = parseParameters(parameterText ?? '')
  const signature = new RegExp(`(?:^|,)\\s*${label.replace(/[.*]/g, '\\$&')}=:([A-Za-z0-9+/=]+):`).exec(String(headers.signature))?.[1]
  if (!parameters.keyid || !signature) throw new RejectedRequestError(401, 'The signature has no key or no value')
  const signingString = signatureBase(
    covered.map(name => [name, componentValue(name, method, path, headers)]),
    params
  )
  return {
    keyId: parameters.keyid,
    signature,
    signingString,
    covered,
    algorithm: parameters.alg ?? '',
    created: parameters.created === undefined ? undefined : Number(parameters.created),
    ...(parameters.expires === undefined ? {} : { expires: Number(parameters.expires) })
  }
}

const signatureBase = (components: [string, string][], params: string): string =>
  [...components.map(([name, value]) => `"${name}": ${value}`), `"@signature-params": ${params}`].join('\n')

/** The first of several signatures; commas within quotes or parentheses do not separate. */
function firstSignature(header: string): string {
  return /^(?:[^,"()]|"(?:[^"\\]|\\.)*"|\((?:[^"()]|"(?:[^"\\]|\\.)*")*\))*/.exec(header)![0].trim()
}

function parseParameters(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/;([a-z*][\w.*-]*)=(?:"((?:[^"\\]|\\.)*)"|([^;]*))/g)].map(([, name, quoted, bare]) => [name!, quoted ?? bare!])
  )
}

function componentValue(name: string, method: string, path: string, headers: IncomingHttpHeaders): string {
  const [pathname, query] = [path.split('?', 1)[0]!, path.includes('?') ? path.slice(path.indexOf('?')) : '?']
  switch (name) {
    case '@method':
      return method
    // Our own host, not that of the request: a signature for another host does not match.
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
      return headers[name] === undefined || name.startsWith('@')
        ? missingComponent(name)
        : String(headers[name]).trim().replace(/\s+/g, ' ')
  }
}

function missingComponent(name: string): never {
  throw new RejectedRequestError(401, `The signature covers ${name.slice(0, 100)}, which is not there`)
}
