import type { IncomingActivity } from './activity-handlers.ts'

/**
 * Whether an actor may delete an object of another origin, for example the owner of a video a comment below it
 * (docs/federation.md#undo-and-delete).
 */
export type CrossOriginDeletePolicy = (incoming: IncomingActivity) => Promise<boolean>

const policies: CrossOriginDeletePolicy[] = []

/** Registers an exception from the same-origin rule for Delete; the feature that stores the object decides. */
export function registerCrossOriginDeletePolicy(policy: CrossOriginDeletePolicy): void {
  policies.push(policy)
}

/** Whether any registered policy allows a Delete. */
export async function isCrossOriginDeleteAllowed(incoming: IncomingActivity): Promise<boolean> {
  for (const policy of policies) if (await policy(incoming)) return true
  return false
}
