import { runQuery, sql } from '../core/sql.ts'
import { Budget, FetchError, fetchRemoteDocument } from './remote-fetch.ts'
import { checkConfirmedOrigin, type OriginDecision } from './origin-policy.ts'
import { hostOf, httpUrl } from './origin.ts'
import { RetryLaterError, type IncomingActivity } from './activity-handlers.ts'
import { idOf, listOf, typeOf, type JsonObject } from './vocabulary.ts'

type Question = Extract<OriginDecision, { kind: 'ask' }>

/**
 * Asks the origin what it says itself; the activity as it may be acted on, or why it has no effect. Throws `Later` while the origin
 * does not answer. Only for hosts that are followed or follow (docs/federation.md#fetches-on-behalf-of-strangers): for others nothing is
 * fetched.
 */
export async function confirmAtOrigin({ url, expected, incoming }: Question, budget = new Budget()): Promise<IncomingActivity | string> {
  if (!(await hasFollowsWithHost(hostOf(incoming.signer)))) return 'nobody follows or is followed there'
  const found = await fetchCurrentObject(url, budget)
  if (expected === 'gone') return found === null || found.type === 'Tombstone' ? confirmed(incoming) : 'its origin still has it'
  if (found === null || found.type === 'Tombstone') return 'its origin does not have it'
  if (httpUrl(found.id) !== url) return 'its origin calls it otherwise'
  if (expected === 'object') return incoming
  if (expected === 'activity') {
    const agrees =
      found.type === incoming.type &&
      httpUrl(idOf(found.actor)) === incoming.actor &&
      httpUrl(idOf(found.object)) === httpUrl(idOf(incoming.object))
    return agrees ? confirmed(incoming) : 'its origin says something else'
  }
  const claimed = typeOf(incoming.object)
  if (claimed !== null && claimed !== found.type) return 'its origin says something else'
  if (!authors(found).includes(incoming.actor)) return 'it is by somebody else'
  return confirmed({ ...incoming, object: found, activity: { ...incoming.activity, object: found } })
}

/** What the origin serves at an address now; null where it is gone. */
export async function fetchCurrentObject(url: string, budget = new Budget()): Promise<JsonObject | null> {
  try {
    return (await fetchRemoteDocument(url, { budget })).document
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    if (error.kind === 'gone' || error.kind === 'missing') return null
    if (error.kind === 'unreachable') throw new RetryLaterError(error.message)
    throw error
  }
}

/** Whether an actor of a host follows one of ours, or is followed. */
export async function hasFollowsWithHost(host: string): Promise<boolean> {
  const rows = await runQuery(sql`
    SELECT 1 FROM follows JOIN actors ON actors.id IN (follows.actor_id, follows.target_id) WHERE actors.host = ${host} AND follows.state <> 'rejected' LIMIT 1`)
  return rows.length > 0
}

function confirmed(incoming: IncomingActivity): IncomingActivity | string {
  const judgement = checkConfirmedOrigin(incoming)
  if (judgement.kind === 'act') return judgement.incoming
  return judgement.kind === 'drop' ? judgement.reason : 'its origin cannot tell'
}

/** Who made an object, as its document says; an actor's document speaks for itself. */
function authors(document: JsonObject): (string | null)[] {
  return [document.id, ...listOf(document.attributedTo), ...listOf(document.actor)].map(one => httpUrl(idOf(one)))
}
