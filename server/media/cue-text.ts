/** Control characters, and halves of surrogate pairs, which UTF-8 cannot hold. */
const UNUSABLE = /[\p{Cc}\p{Cs}\ufeff]/gu

/**
 * Builds the text of a WebVTT cue (§4.2.2): plain text is escaped, tags are nested properly and closed, blank lines are left out, and what
 * exceeds `maxCharacters` or `maxLines` is cut.
 */
export class CueTextBuilder {
  readonly #limits: { maxCharacters: number; maxLines: number }
  readonly #wanted = new Set<string>()
  #open: string[] = []
  #text = ''
  #characters = 0
  #lines = 1
  /** Space, or a line break, that is written before the next text. */
  #pending = ''

  constructor(limits: { maxCharacters: number; maxLines: number }) {
    this.#limits = limits
  }

  /** Adds plain text; a line break within it is one of the cue. */
  add(plain: string): void {
    const [first, ...others] = plain.split('\n')
    this.#addToLine(first!)
    for (const line of others) {
      this.#pending = '\n'
      this.#addToLine(line)
    }
  }

  /** Opens or closes a tag for the text that follows. */
  setTag(tag: string, open: boolean): void {
    if (open) this.#wanted.add(tag)
    else this.#wanted.delete(tag)
  }

  /** Returns the text; '' where there is none. */
  finish(): string {
    return this.#text + this.#closing(this.#open)
  }

  #addToLine(plain: string): void {
    const usable = plain
      .replace(UNUSABLE, character => (character === '\t' ? ' ' : ''))
      .slice(0, this.#limits.maxCharacters - this.#characters)
    if (!/\S/.test(usable)) {
      if (this.#pending !== '\n' && this.#text !== '') this.#pending += usable
      return
    }
    if (this.#pending === '\n' && this.#text !== '' && ++this.#lines > this.#limits.maxLines) this.#characters = this.#limits.maxCharacters
    if (this.#characters >= this.#limits.maxCharacters) return
    this.#characters += usable.length
    const firstObsolete = this.#open.findIndex(tag => !this.#wanted.has(tag))
    if (firstObsolete !== -1) this.#text += this.#closing(this.#open.splice(firstObsolete))
    if (this.#text !== '') this.#text += this.#pending
    this.#pending = ''
    for (const tag of this.#wanted) {
      if (this.#open.includes(tag)) continue
      this.#open.push(tag)
      this.#text += `<${tag}>`
    }
    this.#text += usable.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  }

  #closing(tags: string[]): string {
    return tags
      .map(tag => `</${tag}>`)
      .reverse()
      .join('')
  }
}
