import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { config } from '../core/config.ts'
import { httpGet, type RemoteResponse } from './http-get.ts'
import { FetchBudget, FetchError } from './fetch-budget.ts'
import { parseUntrustedJson } from './untrusted-json.ts'
import { httpUrl, sameOrigin } from './origin.ts'
import { RejectedRequestError } from './rejected-request.ts'
import type { JsonObject } from './vocabulary.ts'

export { FetchBudget as Budget, FetchError } from './fetch-budget.ts'
export { createGuardedAgent as agent, assertUrlAllowed as assertAllowed } from './ssrf-guard.ts'

type Options = { budget?: FetchBudget; signed?: boolean }

const ACTIVITY = 'application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
const PROFILE = 'https://www.w3.org/ns/activitystreams'

/**
 * A document of another server, from its origin: the `id` in it has the origin of the address it came from, and where it names another
 * address of that origin, that one is asked (docs/federation.md#the-id-of-a-document). Throws FetchError.
 */
export async function fetchRemoteDocument(
  url: string,
  { budget = new FetchBudget(), signed = true }: Options = {}
): Promise<{ url: string; document: JsonObject }> {
  const first = await getOnce(url, budget, signed)
  const id = httpUrl(first.document.id)
  if (!id || !sameOrigin(id, first.url)) throw new FetchError('invalid', `${url} gives the document of somebody else`)
  if (id === first.url) return first
  const second = await getOnce(id, budget, signed)
  if (httpUrl(second.document.id) !== id) throw new FetchError('invalid', `${id} gives another document`)
  return { url: id, document: second.document }
}

/** JSON that is no ActivityPub document, such as webfinger's and nodeinfo's. Throws FetchError. */
export async function fetchRemoteJson(
  url: string,
  { budget = new FetchBudget() }: Options = {}
): Promise<{ url: string; document: JsonObject }> {
  const answer = await httpGet(url, { accept: 'application/jrd+json, application/json', budget, signed: false })
  if (!/^application\/([\w.-]+\+)?json\b/i.test(answer.type)) await refuse(answer, `${url} is no JSON`)
  return { url: answer.url, document: await parsed(answer) }
}

/**
 * Writes a remote file to `target`, of one of the media types and at most `maxSize` bytes; nothing is left of what is refused. Gives its
 * type.
 */
export async function fetchRemoteFile(
  url: string,
  target: string,
  { maxSize, types, budget = new FetchBudget() }: { maxSize: number; types: string[]; budget?: FetchBudget }
): Promise<string> {
  const answer = await httpGet(url, { accept: types.join(', '), budget, signed: false })
  const type = answer.type.split(';', 1)[0]!.trim().toLowerCase()
  if (!types.includes(type)) await refuse(answer, `${url} has the type ${type.slice(0, 100)}`)
  // It is there before anything can go wrong, so that nothing appears after it was removed.
  const file = await open(target, 'w')
  try {
    await pipeline(Readable.from(answer.read(maxSize)), file.createWriteStream())
    return type
  } catch (error) {
    await rm(target, { force: true })
    throw error
  }
}

async function getOnce(address: string, budget: FetchBudget, signed: boolean): Promise<{ url: string; document: JsonObject }> {
  const url = httpUrl(address)
  if (!url) throw new FetchError('refused', 'This is no address')
  const answer = await httpGet(url.split('#', 1)[0]!, { accept: ACTIVITY, budget, signed })
  if (!isActivity(answer.type)) await refuse(answer, `${url} is no ActivityPub document`)
  return { url: answer.url, document: await parsed(answer) }
}

/** Only what says that it is ActivityPub: a user's upload on a good host is not (docs/federation.md#media-types). */
function isActivity(header: string): boolean {
  const [type, ...parameters] = header.split(';').map(part => part.trim())
  if (type?.toLowerCase() === 'application/activity+json') return true
  return (
    type?.toLowerCase() === 'application/ld+json' &&
    parameters.some(one => /^profile=/i.test(one) && one.slice(8).replaceAll('"', '').split(/\s+/).includes(PROFILE))
  )
}

async function parsed(answer: RemoteResponse): Promise<JsonObject> {
  const pieces: Buffer[] = []
  for await (const piece of answer.read(config.federation.fetch.max_size)) pieces.push(piece)
  try {
    return parseUntrustedJson(Buffer.concat(pieces))
  } catch (error) {
    throw error instanceof RejectedRequestError ? new FetchError('invalid', `${answer.url}: ${error.message}`) : error
  }
}

async function refuse(answer: RemoteResponse, message: string): Promise<never> {
  answer.discard()
  throw new FetchError('invalid', message)
}
