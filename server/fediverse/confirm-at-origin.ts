import { runQuery, sql } from '../core/sql.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from './remote-fetch.ts'
import { checkConfirmedOrigin, type OriginDecision } from './origin-policy.ts'
import { hostOf, httpUrl } from './origin.ts'
import { withCanonicalReferences } from './local-addresses.ts'
import { RetryLaterError, type IncomingActivity } from './activity-handlers.ts'
import { idOf, listOf, typeOf, type JsonObject } from './vocabulary.ts'

type ConfirmationRequest = Extract<OriginDecision, { kind: 'confirm' }>

/**
 * Fetches what the origin of an activity says itself. Returns the activity as it may be processed, or the reason why it is dropped. Throws
 * RetryLaterError while the origin does not answer. Only for senders whose host follows or is followed here; for others nothing is fetched
 * (docs/federation.md#fetches-on-behalf-of-strangers).
 */
export async function confirmAtOrigin(
  { url, expected, incoming }: ConfirmationRequest,
  budget = new FetchBudget()
): Promise<IncomingActivity | string> {
  if (!(await hasFollowsWithHost(hostOf(incoming.signer)))) return 'nobody follows or is followed there'
  const fetched = await fetchCurrentObject(url, budget)
  const [document = null] = fetched ? await withCanonicalReferences([fetched]) : []
  if (expected === 'gone')
    return document === null || typeOf(document) === 'Tombstone' ? recheckConfirmed(incoming) : 'its origin still has it'
  if (document === null || typeOf(document) === 'Tombstone') return 'its origin does not have it'
  if (httpUrl(document.id) !== url) return 'its origin calls it otherwise'
  if (expected === 'object') return incoming
  if (expected === 'activity') {
    const agrees =
      typeOf(document) === incoming.type &&
      httpUrl(idOf(document.actor)) === incoming.actor &&
      httpUrl(idOf(document.object)) === httpUrl(idOf(incoming.object))
    return agrees ? recheckConfirmed(incoming) : 'its origin says something else'
  }
  const claimedType = typeOf(incoming.object)
  if (claimedType !== null && claimedType !== typeOf(document)) return 'its origin says something else'
  if (!authorsOf(document).includes(incoming.actor)) return 'it is by somebody else'
  return recheckConfirmed({ ...incoming, object: document, activity: { ...incoming.activity, object: document } })
}

/**
 * Fetches the current object at a URL; null if it is gone or missing. Throws RetryLaterError while its server does not answer, FetchError
 * for other faults.
 */
export async function fetchCurrentObject(url: string, budget = new FetchBudget()): Promise<JsonObject | null> {
  try {
    return (await fetchRemoteDocument(url, { budget })).document
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    if (error.kind === 'gone' || error.kind === 'missing') return null
    if (error.kind === 'unreachable') throw new RetryLaterError(error.message)
    throw error
  }
}

/** Whether an actor of a host follows a local actor or is followed by one. */
export async function hasFollowsWithHost(host: string): Promise<boolean> {
  const rows = await runQuery(sql`
    SELECT 1 FROM follows JOIN actors ON actors.id IN (follows.actor_id, follows.target_id) WHERE actors.host = ${host}
      AND follows.state <> 'rejected' LIMIT 1`)
  return rows.length > 0
}

function recheckConfirmed(incoming: IncomingActivity): IncomingActivity | string {
  const decision = checkConfirmedOrigin(incoming)
  if (decision.kind === 'accept') return decision.incoming
  return decision.kind === 'drop' ? decision.reason : 'its origin cannot tell'
}

/** The authors of an object according to its document, including its own id: an actor is the author of its own document. */
function authorsOf(document: JsonObject): (string | null)[] {
  return [document.id, ...listOf(document.attributedTo), ...listOf(document.actor)].map(author => httpUrl(idOf(author)))
}
