import { isPassingFetchError } from './fetch-budget.ts'

/** Objects that are remembered at most; the oldest go first (docs/federation.md#bounded-memory). */
const MAX_OBJECTS = 10_000

/**
 * When a job reads objects of other servers again that it could not read: each time later, twice as long as before. Of this process, as
 * a try too many does no harm. Times in ms.
 */
export class RetryDelays {
  readonly #failures = new Map<number, { count: number; notBefore: number }>()
  readonly #limits: () => { first: number; longest: number }
  constructor(limits: () => { first: number; longest: number }) {
    this.#limits = limits
  }

  /** The ids of the objects that are not read now. */
  waiting(now = Date.now()): number[] {
    return [...this.#failures].filter(([, { notBefore }]) => notBefore > now).map(([id]) => id)
  }

  /** Reads an object; where its server has trouble, it waits. Throws what `read` throws. */
  async attempt(id: number, read: () => Promise<void>): Promise<void> {
    try {
      await read()
      this.#failures.delete(id)
    } catch (error) {
      if (isPassingFetchError(error)) this.#postpone(id)
      else this.#failures.delete(id)
      throw error
    }
  }

  #postpone(id: number): void {
    const count = (this.#failures.get(id)?.count ?? 0) + 1
    const { first, longest } = this.#limits()
    this.#failures.delete(id)
    this.#failures.set(id, { count, notBefore: Date.now() + Math.min(longest, first * 2 ** (count - 1)) })
    if (this.#failures.size > MAX_OBJECTS) this.#failures.delete(this.#failures.keys().next().value!)
  }
}
