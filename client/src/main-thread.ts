/** Milliseconds after which deferred work no longer waits: the network may be slow or broken. */
const MAX_WAIT_MS = 2000

let priorityWork: Promise<unknown> | null = null
let lastDeferred: Promise<unknown> = Promise.resolve()

/** Resolves in the next task: one long task would block scrolling and typing on a slow machine. */
export async function waitForNextTask(): Promise<void> {
  await new Promise(resolve => {
    setTimeout(resolve)
  })
}

/** Defers everything that calls `yieldToMain` until `work` has resolved, at most for `maxWaitMs`. */
export function runFirst(work: Promise<unknown>, maxWaitMs = MAX_WAIT_MS): void {
  const current = (priorityWork = Promise.race([
    work,
    new Promise(resolve => {
      setTimeout(resolve, maxWaitMs)
    })
  ]).then(() => {
    if (priorityWork === current) priorityWork = null
  }))
}

/**
 * Resolves in a later task, after the work given to `runFirst`. Callers that waited for that work continue one after the other, each in a
 * task of its own.
 */
export async function yieldToMain(): Promise<void> {
  await waitForNextTask()
  while (priorityWork) await priorityWork
  const deferred = lastDeferred.then(waitForNextTask)
  lastDeferred = deferred
  await deferred
}
