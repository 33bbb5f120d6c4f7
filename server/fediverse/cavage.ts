import type { IncomingHttpHeaders } from 'node:http'
import httpSignature from '@peertube/http-signature'
import { instanceOrigin } from '../core/config.ts'
import { signText } from './keys.ts'
import type { Signer } from './keyring.ts'
import { hostOf } from './origin.ts'
import { RejectedRequestError } from './rejected-request.ts'

/** What a signature claims, to be checked with the key of `keyId`. Times in seconds. */
export type ParsedSignature = {
  keyId: string
  text: string
  signature: string
  algorithm: string
  covered: string[]
  created?: number
  expires?: number
}

type Parsed = {
  signingString: string
  params: { keyId: string; signature: string; algorithm: string; headers: string[]; created?: number; expires?: number }
}
type Parser = { parseRequest(request: object, options: { clockSkew: number; headers: string[] }): Parsed }

/** What the library checks of dates is checked here, where the clock can be given. */
const ANY_TIME = 1e12

/** Headers that sign a request as draft-cavage-12 says, in the way PeerTube, Mastodon and all others have always known. */
export async function signCavage({
  method,
  url,
  digest,
  date = new Date(),
  signer
}: {
  method: string
  url: string
  digest?: string
  date?: Date
  signer: Signer
}): Promise<Record<string, string>> {
  const { host: target, pathname, search } = new URL(url)
  const headers: Record<string, string> = {
    host: target,
    date: date.toUTCString(),
    ...(digest === undefined ? {} : { digest: `SHA-256=${digest}` })
  }
  const names = ['(request-target)', ...Object.keys(headers)]
  const text = [
    `(request-target): ${method.toLowerCase()} ${pathname}${search}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  ].join('\n')
  const algorithm = signer.privateKey.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'hs2019'
  return {
    ...headers,
    signature: `keyId="${signer.keyId}",algorithm="${algorithm}",headers="${names.join(' ')}",signature="${await signText(text, signer.privateKey)}"`
  }
}

/**
 * Reads the signature of a request; it must cover what makes it worth something (docs/federation.md#digests,
 * docs/federation.md#signed-headers). Throws Refused 401.
 */
export function parseCavageSignature({
  method,
  path,
  headers
}: {
  method: string
  path: string
  headers: IncomingHttpHeaders
}): ParsedSignature {
  const parsed = parse(method, path, headers)
  const { keyId, signature, algorithm, created, expires } = parsed.params
  const covered = parsed.params.headers
  for (const name of ['(request-target)', 'host'])
    if (!covered.includes(name)) throw new RejectedRequestError(401, `The signature does not cover ${name}`)
  if (!covered.includes('date') && !covered.includes('(created)')) throw new RejectedRequestError(401, 'The signature covers no date')
  if (method === 'POST' && !covered.includes('digest') && !covered.includes('content-digest'))
    throw new RejectedRequestError(401, 'The signature does not cover the digest')
  if (hostOf(`${new URL(instanceOrigin()).protocol}//${headers.host}`) !== hostOf(instanceOrigin()))
    throw new RejectedRequestError(401, 'The signature is for another host')
  return {
    keyId,
    signature,
    algorithm,
    covered,
    text: parsed.signingString,
    created: covered.includes('(created)') ? created : new Date(String(headers.date)).getTime() / 1000,
    ...(expires === undefined ? {} : { expires })
  }
}

function parse(method: string, path: string, headers: IncomingHttpHeaders): Parsed {
  try {
    // Some write `Signature keyId=…` into the Signature header too, and some leave the algorithm to the key without saying so.
    const bare = typeof headers.signature === 'string' ? headers.signature.replace(/^Signature\s+/i, '') : undefined
    const signature = bare === undefined || /\balgorithm\s*=/i.test(bare) ? bare : `${bare},algorithm="hs2019"`
    return (httpSignature as Parser).parseRequest(
      { method, url: path, headers: { ...headers, ...(signature === undefined ? {} : { signature }) } },
      { clockSkew: ANY_TIME, headers: [] }
    )
  } catch (error) {
    throw new RejectedRequestError(401, `The signature cannot be read: ${(error as Error).message}`)
  }
}
