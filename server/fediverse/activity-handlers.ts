import type { Json, JsonObject } from './vocabulary.ts'
import { listOf, typeOf } from './vocabulary.ts'

/** An activity that may be acted on: stored, its sender proven, the origin law kept. */
export type IncomingActivity = {
  id: string
  type: string
  /** URL of the actor, for whom `proof` vouches. */
  actor: string
  activity: JsonObject
  object: Json
  /**
   * What vouches for the actor: its own HTTP signature, an LD signature, a data integrity proof; `none`: only what is fetched from its
   * origin counts.
   */
  proof: 'http' | 'ld' | 'integrity' | 'none'
  /** URL of the actor that posted it. */
  signer: string
  /** The bytes as they came, for sending on. */
  body: string
  receivedAt: Date
}

/** Acts on an activity; true: it was this listener's. Throws `Later` to be asked again, anything else is logged and ends it. */
export type ActivityHandler = (incoming: IncomingActivity) => Promise<boolean | void>

/** Thrown by a receiver that needs somebody who does not answer now; the activity is tried again. */
export class RetryLaterError extends Error {}

const receivers = new Map<string, ActivityHandler[]>()

/**
 * Hears activities: 'Follow', or 'Create(Note)' where the embedded object has that type, or 'Create' for all that no narrower one took.
 * Several may hear the same; they are asked in order until one says true.
 */
export function onActivity(name: string, receiver: ActivityHandler): void {
  receivers.set(name, [...(receivers.get(name) ?? []), receiver])
}

/**
 * Acts on activities that are each about something else, all at once where they are as usual; says of those whether they were this
 * listener's. The others go to the receivers.
 */
export type ActivityBatchHandler = (all: IncomingActivity[]) => Promise<Map<IncomingActivity, boolean>>
const together = new Map<string, ActivityBatchHandler>()

/** Hears activities of a kind, as 'Create(Note)' or 'View', by the batch; there is a receiver for the unusual ones, too. */
export function onActivityBatch(name: string, receiver: ActivityBatchHandler): void {
  together.set(name, receiver)
}

/** Whether there may be anything to do at once for activities of a type. */
export function hasBatchHandler(type: string): boolean {
  return [...together.keys()].some(name => name === type || name.startsWith(`${type}(`))
}

/** Hands activities to those who hear them by the batch; gives those that are through, and whether anybody took them. */
export async function dispatchActivityBatch(all: IncomingActivity[]): Promise<Map<IncomingActivity, boolean>> {
  const through = new Map<IncomingActivity, boolean>()
  for (const [name, receiver] of together) {
    const meant = all.filter(({ type, object }) => name === type || name === `${type}(${typeOf(object)})`)
    if (meant.length > 0) for (const [incoming, taken] of await receiver(meant)) through.set(incoming, taken)
  }
  return through
}

/** Hands an activity to those who hear it. False: nobody took it. */
export async function dispatchActivity(incoming: IncomingActivity): Promise<boolean> {
  const kinds = listOf(incoming.object)
    .map(typeOf)
    .filter(kind => kind !== null)
  const names = [...kinds.map(kind => `${incoming.type}(${kind})`), incoming.type]
  for (const name of names) {
    for (const receiver of receivers.get(name) ?? []) if (await receiver(incoming)) return true
  }
  return false
}
