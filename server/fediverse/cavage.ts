import type { IncomingHttpHeaders } from 'node:http'
import httpSignature from '@peertube/http-signature'
import { signText } from './keys.ts'
import type { Signer } from './keyring.ts'
import { RejectedRequestError } from './rejected-request.ts'

/** The content of a signature, to be verified with the key of `keyId`; `signingString` is the signed text. Times in seconds. */
export type ParsedSignature = {
  keyId: string
  signingString: string
  signature: string
  algorithm: string
  covered: string[]
  created?: number
  expires?: number
}

type LibraryResult = {
  signingString: string
  params: { keyId: string; signature: string; algorithm: string; headers: string[]; created?: number; expires?: number }
}
type SignatureLibrary = { parseRequest(request: object, options: { clockSkew: number; headers: string[] }): LibraryResult }

/** Dates are checked in http-signature.ts, where the clock can be passed in, not by the library. */
const UNLIMITED_CLOCK_SKEW = 1e12

/**
 * Returns the headers that sign a request by draft-cavage-http-signatures-12, in the form that PeerTube, Mastodon and all others accept.
 */
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
  const { host: targetHost, pathname, search } = new URL(url)
  const headers: Record<string, string> = {
    host: targetHost,
    date: date.toUTCString(),
    ...(digest === undefined ? {} : { digest: `SHA-256=${digest}` })
  }
  const coveredNames = ['(request-target)', ...Object.keys(headers)]
  const signingString = [
    `(request-target): ${method.toLowerCase()} ${pathname}${search}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  ].join('\n')
  const algorithm = signer.privateKey.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'hs2019'
  const signature = await signText(signingString, signer.privateKey)
  return {
    ...headers,
    signature: `keyId="${signer.keyId}",algorithm="${algorithm}",headers="${coveredNames.join(' ')}",signature="${signature}"`
  }
}

/**
 * Parses the signature of a request and checks that it covers the required headers (docs/federation.md#digests,
 * docs/federation.md#signed-headers). Throws RejectedRequestError 401.
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
  const parsed = parseWithLibrary(method, path, headers)
  const { keyId, signature, algorithm, created, expires } = parsed.params
  const covered = parsed.params.headers
  for (const name of ['(request-target)', 'host'])
    if (!covered.includes(name)) throw new RejectedRequestError(401, `The signature does not cover ${name}`)
  if (!covered.includes('date') && !covered.includes('(created)')) throw new RejectedRequestError(401, 'The signature covers no date')
  if (method === 'POST' && !covered.includes('digest') && !covered.includes('content-digest'))
    throw new RejectedRequestError(401, 'The signature does not cover the digest')
  return {
    keyId,
    signature,
    algorithm,
    covered,
    signingString: parsed.signingString,
    created: covered.includes('(created)') ? created : new Date(String(headers.date)).getTime() / 1000,
    ...(expires === undefined ? {} : { expires })
  }
}

function parseWithLibrary(method: string, path: string, headers: IncomingHttpHeaders): LibraryResult {
  try {
    // Some servers repeat the scheme in the Signature header (`Signature keyId=…`), and some omit the algorithm.
    const withoutScheme = typeof headers.signature === 'string' ? headers.signature.replace(/^Signature\s+/i, '') : undefined
    const signature =
      withoutScheme === undefined || /\balgorithm\s*=/i.test(withoutScheme) ? withoutScheme : `${withoutScheme},algorithm="hs2019"`
    return (httpSignature as SignatureLibrary).parseRequest(
      { method, url: path, headers: { ...headers, ...(signature === undefined ? {} : { signature }) } },
      { clockSkew: UNLIMITED_CLOCK_SKEW, headers: [] }
    )
  } catch (error) {
    throw new RejectedRequestError(401, `The signature cannot be read: ${(error as Error).message}`)
  }
}
