import { z } from 'zod'
import { onEvent } from '../core/events.ts'
import { defineJob } from '../core/job.ts'
import { INBOX } from './inbox-internals.ts'
import { refreshDueObjects } from './object-refreshes.ts'

/** Fetches the remote objects whose state is to be asked of their origins. */
export const refreshObjects = defineJob({
  name: 'refresh-objects',
  queue: 'federation',
  payload: z.object({}),
  every: () => INBOX.checkInterval,
  run: async (_, { signal }) => await refreshDueObjects(signal)
})

/** Starts the job as soon as a refresh is requested; called once at start. */
export function listenForRefreshRequests(): void {
  let enqueueing: Promise<void> | null = null
  onEvent('object.refresh-requested', async () => {
    // Requests that come while the job is being added are found by it.
    enqueueing ??= refreshObjects.enqueue({}).finally(() => {
      enqueueing = null
    })
    await enqueueing
  })
}
