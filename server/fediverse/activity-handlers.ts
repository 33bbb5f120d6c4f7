import { httpUrl } from './origin.ts'
import type { Json, JsonObject } from './vocabulary.ts'
import { idOf, listOf, typeOf } from './vocabulary.ts'

/** An activity that may be processed: stored, its sender verified, its origin checked. */
export type IncomingActivity = {
  id: string
  type: string
  /** URL of the actor, authenticated by `proof`. */
  actor: string
  activity: JsonObject
  object: Json
  /**
   * What authenticates the actor: its own HTTP signature, an LD signature, a data integrity proof. `none`: only what is fetched from its
   * origin counts.
   */
  proof: 'http' | 'ld' | 'integrity' | 'none'
  /** URL of the actor that signed the HTTP request. */
  signer: string
  /** The body as received, for forwarding. */
  body: string
  receivedAt: Date
}

/**
 * Processes an activity; returns true if it handled it, so that no further handler runs. May throw RetryLaterError to be called again
 * later; any other error is logged and final.
 */
export type ActivityHandler = (incoming: IncomingActivity) => Promise<boolean | void>

/** Thrown by a handler that depends on a server that does not answer now; the activity is retried. */
export class RetryLaterError extends Error {}

const handlers = new Map<string, ActivityHandler[]>()

/**
 * Registers a handler of activities: `Follow`, or `Create(Note)` for an embedded object of that type, or `Create` for whatever no narrower
 * handler handled. Several handlers of one name are called in order until one returns true.
 */
export function onActivity(name: string, handler: ActivityHandler): void {
  handlers.set(name, [...(handlers.get(name) ?? []), handler])
}

/**
 * Registers what takes back something its actor did, found by its id: for an Undo or Delete that names nothing else (ActivityPub §6.10
 * allows any reference). Returns true if that actor had done it.
 */
export function onWithdrawal(withdraw: (id: string, incoming: IncomingActivity) => Promise<boolean>): void {
  for (const type of ['Undo', 'Delete'])
    onActivity(type, async incoming => {
      const id = httpUrl(idOf(incoming.object))
      return id !== null && (await withdraw(id, incoming))
    })
}

/**
 * Processes activities that are each about a different object in few statements. Returns those it processed and whether they were handled;
 * the others go to the handlers of single activities.
 */
export type ActivityBatchHandler = (activities: IncomingActivity[]) => Promise<Map<IncomingActivity, boolean>>
const batchHandlers = new Map<string, ActivityBatchHandler>()

/** Registers a batch handler of one kind of activities, such as `Create(Note)` or `View`; single handlers process the unusual ones. */
export function onActivityBatch(name: string, handler: ActivityBatchHandler): void {
  batchHandlers.set(name, handler)
}

/** Whether a batch handler exists for activities of a type. */
export function hasBatchHandler(type: string): boolean {
  return [...batchHandlers.keys()].some(name => name === type || name.startsWith(`${type}(`))
}

/** Passes activities to the batch handlers. Returns those they processed, and whether each was handled. */
export async function dispatchActivityBatch(activities: IncomingActivity[]): Promise<Map<IncomingActivity, boolean>> {
  const handled = new Map<IncomingActivity, boolean>()
  for (const [name, handler] of batchHandlers) {
    const matching = activities.filter(({ type, object }) => name === type || name === `${type}(${typeOf(object)})`)
    if (matching.length > 0) for (const [incoming, wasHandled] of await handler(matching)) handled.set(incoming, wasHandled)
  }
  return handled
}

/** Passes an activity to its handlers. Returns false if none handled it. */
export async function dispatchActivity(incoming: IncomingActivity): Promise<boolean> {
  const objectTypes = listOf(incoming.object)
    .map(typeOf)
    .filter(objectType => objectType !== null)
  const handlerNames = [...objectTypes.map(objectType => `${incoming.type}(${objectType})`), incoming.type]
  for (const name of handlerNames) {
    for (const handler of handlers.get(name) ?? []) if (await handler(incoming)) return true
  }
  return false
}
