/** After so long (ms) what waits goes on: the line may be slow, or broken. */
const LONGEST = 2000

let first: Promise<unknown> | null = null
let last: Promise<unknown> = Promise.resolve()

/** Lets the browser do what waits: on a slow machine one long task keeps everybody from scrolling and typing. */
export async function waitForNextTask(): Promise<void> {
  await new Promise(resolve => {
    setTimeout(resolve)
  })
}

/** Has everything that can wait (`yieldToMain`) wait until `done`, for so long (ms) at most. */
export function runFirst(done: Promise<unknown>, longest = LONGEST): void {
  const one = (first = Promise.race([
    done,
    new Promise(resolve => {
      setTimeout(resolve, longest)
    })
  ]).then(() => {
    if (first === one) first = null
  }))
}

/** Lets the browser do what waits, and what goes first. What waited for that comes one after the other, with a pause between. */
export async function yieldToMain(): Promise<void> {
  await waitForNextTask()
  while (first) await first
  const mine = last.then(waitForNextTask)
  last = mine
  await mine
}
