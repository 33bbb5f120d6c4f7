const FIRST_PAUSE = 3000
const LONGEST_PAUSE = 60_000
const PAUSE_WHILE_GROWING = 5000
const SLOWING = 1.4

/**
 * Reads the master playlist of an unfinished video again and again, ever more slowly, and hands it on: new qualities may be in it.
 * It rests while nobody looks.
 */
export class Growth {
  readonly #url: string
  readonly #act: (master: string) => boolean
  #unfinished: boolean
  #growing = false
  #pause = FIRST_PAUSE
  #timer = 0

  /** `act` gets every master playlist and says whether it held something new. */
  constructor(url: string, unfinished: boolean, act: (master: string) => boolean) {
    this.#url = url
    this.#act = act
    this.#unfinished = unfinished
    document.addEventListener('visibilitychange', this.#plan)
    this.#plan()
  }

  /** Hears whether what is playing still grows. */
  heed(growing: boolean): void {
    if (growing === this.#growing) return
    this.#growing = growing
    // The last rungs enter just when the first one ends.
    this.#pause = FIRST_PAUSE
    this.#unfinished ||= growing
    this.#plan()
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#plan)
    clearTimeout(this.#timer)
    this.#unfinished = false
  }

  readonly #plan = (): void => {
    clearTimeout(this.#timer)
    if (!this.#unfinished || document.hidden) return
    this.#timer = window.setTimeout(() => void this.#look(), this.#growing ? Math.min(this.#pause, PAUSE_WHILE_GROWING) : this.#pause)
  }

  async #look(): Promise<void> {
    this.#pause = Math.min(this.#pause * SLOWING, LONGEST_PAUSE)
    try {
      const response = await fetch(this.#url)
      if (response.ok && this.#act(await response.text())) this.#pause = FIRST_PAUSE
    } catch { /* the player itself says when the connection is lost */ }
    this.#plan()
  }
}
