import type { Incoming } from './activity-handlers.ts'

/** Whether somebody may delete what is of another origin: true for the owner of a video, of comments below it (federation.md 4.10). */
export type Exception = (incoming: Incoming) => Promise<boolean>

const exceptions: Exception[] = []

/** Declares an exception from the origin law for Delete; the floor that knows the object answers. */
export function permitDelete(exception: Exception): void {
  exceptions.push(exception)
}

/** Whether any exception allows a Delete. */
export async function isPermitted(incoming: Incoming): Promise<boolean> {
  for (const exception of exceptions) if (await exception(incoming)) return true
  return false
}
