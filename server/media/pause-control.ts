/** Holds every ffmpeg that follows it, and lets them go on. */
export class PauseControl {
  #held = false
  #since = 0
  #before = 0
  readonly #followers = new Set<(held: boolean) => void>()

  get held(): boolean {
    return this.#held
  }

  /** How long it has been held so far, in ms. */
  get heldFor(): number {
    return this.#before + (this.#held ? performance.now() - this.#since : 0)
  }

  set(held: boolean): void {
    if (held === this.#held) return
    const now = performance.now()
    if (!held) this.#before += now - this.#since
    this.#since = now
    this.#held = held
    for (const follower of this.#followers) follower(held)
  }

  /** Has `apply` told at once where it is held, and of every change until the returned function is called. */
  follow(apply: (held: boolean) => void): () => void {
    this.#followers.add(apply)
    if (this.#held) apply(true)
    return () => this.#followers.delete(apply)
  }
}
