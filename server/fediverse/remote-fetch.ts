import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { httpGet, type RemoteResponse } from './http-get.ts'
import { FetchBudget, FetchError } from './fetch-budget.ts'
import { parseUntrustedJson } from './untrusted-json.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { RejectedRequestError } from './rejected-request.ts'
import type { JsonObject } from './vocabulary.ts'
import { FETCH } from './fetch-internals.ts'

export { FetchBudget, FetchError, type FetchErrorKind } from './fetch-budget.ts'
export { createGuardedAgent, assertUrlAllowed } from './ssrf-guard.ts'

type FetchOptions = { budget?: FetchBudget; signed?: boolean }

const ACTIVITYPUB_ACCEPT = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
const ACTIVITYSTREAMS_PROFILE = 'https://www.w3.org/ns/activitystreams'

/**
 * Fetches an ActivityPub document from its origin: its `id` has the origin of the URL it came from; if that is another URL of the origin,
 * that one is fetched too (docs/federation.md#the-id-of-a-document). Throws FetchError.
 */
export async function fetchRemoteDocument(
  url: string,
  { budget = new FetchBudget(), signed = true }: FetchOptions = {}
): Promise<{ url: string; document: JsonObject }> {
  const first = await fetchDocument(url, budget, signed)
  const id = httpUrl(first.document.id)
  if (!id || !sameOrigin(id, first.url)) throw new FetchError('invalid', `${url} gives the document of somebody else`)
  if (id === first.url) return first
  const canonical = await fetchDocument(id, budget, signed)
  if (httpUrl(canonical.document.id) !== id) throw new FetchError('invalid', `${id} gives another document`)
  return { url: id, document: canonical.document }
}

/** Fetches JSON other than ActivityPub, such as WebFinger and NodeInfo. Throws FetchError. */
export async function fetchRemoteJson(
  url: string,
  { budget = new FetchBudget() }: FetchOptions = {}
): Promise<{ url: string; document: JsonObject }> {
  const response = await httpGet(url, { accept: 'application/jrd+json, application/json', budget, signed: false })
  if (!/^application\/([\w.-]+\+)?json\b/i.test(response.type)) await rejectResponse(response, `${url} is no JSON`)
  return { url: response.url, document: await parseBody(response) }
}

/**
 * Downloads a remote file of an allowed media type and at most `maxSize` bytes to `target`; a rejected file leaves nothing behind. Returns
 * its media type. Throws FetchError.
 */
export async function fetchRemoteFile(
  url: string,
  target: string,
  { maxSize, types, budget = new FetchBudget() }: { maxSize: number; types: string[]; budget?: FetchBudget }
): Promise<string> {
  const response = await httpGet(url, { accept: types.join(', '), budget, signed: false })
  const type = response.type.split(';', 1)[0]!.trim().toLowerCase()
  if (!types.includes(type)) await rejectResponse(response, `${url} has the type ${type.slice(0, 100)}`)
  // Opened first, so that nothing can create the file after it was removed.
  const file = await open(target, 'w')
  try {
    await pipeline(Readable.from(response.read(maxSize)), file.createWriteStream())
    return type
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
}

async function fetchDocument(address: string, budget: FetchBudget, signed: boolean): Promise<{ url: string; document: JsonObject }> {
  const url = httpUrl(address)
  if (!url) throw new FetchError('refused', 'This is no address')
  const response = await httpGet(url.split('#', 1)[0]!, { accept: ACTIVITYPUB_ACCEPT, budget, signed })
  if (!isActivityPubType(response.type)) await rejectResponse(response, `${url} is no ActivityPub document`)
  return { url: response.url, document: await parseBody(response) }
}

/** Only ActivityPub media types: an uploaded file on a trusted host is no document (docs/federation.md#media-types). */
function isActivityPubType(header: string): boolean {
  const [type, ...parameters] = header.split(';').map(part => part.trim())
  if (type?.toLowerCase() === 'application/activity+json') return true
  return (
    type?.toLowerCase() === 'application/ld+json' &&
    parameters.some(
      parameter => /^profile=/i.test(parameter) && parameter.slice(8).replaceAll('"', '').split(/\s+/).includes(ACTIVITYSTREAMS_PROFILE)
    )
  )
}

async function parseBody(response: RemoteResponse): Promise<JsonObject> {
  const chunks: Buffer[] = []
  for await (const chunk of response.read(FETCH.maxSize)) chunks.push(chunk)
  try {
    return parseUntrustedJson(Buffer.concat(chunks))
  } catch (error) {
    throw error instanceof RejectedRequestError ? new FetchError('invalid', `${response.url}: ${error.message}`) : error
  }
}

async function rejectResponse(response: RemoteResponse, message: string): Promise<never> {
  response.discard()
  throw new FetchError('invalid', message)
}
