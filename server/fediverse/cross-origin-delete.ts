import type { IncomingActivity } from './activity-handlers.ts'

/**
 * Whether somebody may delete what is of another origin: true for the owner of a video, of comments below it
 * (docs/federation.md#undo-and-delete).
 */
export type CrossOriginDeletePolicy = (incoming: IncomingActivity) => Promise<boolean>

const exceptions: CrossOriginDeletePolicy[] = []

/** Declares an exception from the origin law for Delete; the floor that knows the object answers. */
export function registerCrossOriginDeletePolicy(exception: CrossOriginDeletePolicy): void {
  exceptions.push(exception)
}

/** Whether any exception allows a Delete. */
export async function isCrossOriginDeleteAllowed(incoming: IncomingActivity): Promise<boolean> {
  for (const exception of exceptions) if (await exception(incoming)) return true
  return false
}
