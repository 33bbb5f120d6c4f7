import type Hls from 'hls.js'
import { addLevels, urlWithoutQuery, removeLevel } from './levels.ts'
import { fetchPlaylistEnd, type PlaylistEnd } from './playlist-tail.ts'

type Library = typeof import('./hls.ts')

const FIRST_PAUSE = 3000
const LONGEST_PAUSE = 60_000
const PAUSE_WHILE_NEEDED = 5000
const SLOWING = 1.4
/** A growing rung comes in when it is so many seconds ahead of the viewer, and goes when it is only so many. */
const COMES_AHEAD = 10
const GOES_AHEAD = 4

/**
 * Keeps the levels of hls.js to those that can be played from where the viewer is, while a video's rungs are still being encoded.
 * New rungs come in as they get far enough, without a break; one that the viewer catches up with, or jumps beyond, goes as long as another
 * one reaches further.
 * It reads the master playlist and the ends of growing rungs again and again, more slowly the less depends on it, and rests while nobody
 * looks.
 */
export class PlayableLevels {
  readonly #library: Library
  readonly #hls: Hls
  readonly #url: string
  readonly #place: () => number
  readonly #tell: (coming: boolean) => void
  readonly #reach = new Map<string, PlaylistEnd>()
  #master: string | null = null
  #listed: string[] | null = null
  #finished: boolean
  #pause = FIRST_PAUSE
  #timer = 0

  /**
   * `unfinished`: whether rungs may still be growing or missing. `place` tells where the viewer is; `tell` hears whether rungs are growing
   * that cannot be chosen yet.
   */
  constructor(library: Library, hls: Hls, url: string, unfinished: boolean, place: () => number, tell: (coming: boolean) => void) {
    this.#library = library
    this.#hls = hls
    this.#url = new URL(url, location.href).href
    this.#place = place
    this.#tell = tell
    this.#finished = !unfinished
    document.addEventListener('visibilitychange', this.#plan)
  }

  /** Looks at all rungs before the first segment is loaded, so that none is chosen that does not reach `at`. */
  async begin(at: number): Promise<void> {
    if (this.#finished) return
    await this.#measure(this.#hls.levels.map(level => level.uri))
    this.fit(at)
    this.#plan()
  }

  /** How far somebody can jump, in seconds. */
  reach(): number {
    const all = [...this.#reach.values()]
    return this.#finished || all.length === 0 || all.some(({ ended }) => ended) ? Infinity : Math.max(...all.map(({ edge }) => edge))
  }

  /** Notes what hls.js itself has read of a rung. */
  heed(url: string, reach: PlaylistEnd): void {
    const before = this.#reach.get(urlWithoutQuery(url))
    if (this.#finished && reach.ended) return
    this.#reach.set(urlWithoutQuery(url), reach)
    if (reach.ended || before) return
    // A video that was taken for finished grows all the same.
    this.#finished = false
    this.#plan()
  }

  /** Makes the levels fit a viewer at a place. */
  fit(at: number): boolean {
    const { levels } = this.#hls
    const far = [...this.#reach.values()].some(({ ended }) => ended)
    const lags = (uri: string, ahead: number) => {
      const reach = this.#reach.get(urlWithoutQuery(uri))
      return far && reach !== undefined && !reach.ended && reach.edge < at + ahead
    }
    for (const { uri } of levels.filter(level => lags(level.uri, GOES_AHEAD))) {
      if (this.#hls.levels.length > 1) removeLevel(this.#hls, uri)
    }
    const added =
      this.#master !== null &&
      addLevels(
        this.#library,
        this.#hls,
        this.#master,
        this.#url,
        url => this.#reach.has(urlWithoutQuery(url)) && !lags(url, COMES_AHEAD)
      ) > 0
    this.#tell(this.#anyComing())
    return added
  }

  #anyComing(): boolean {
    const playable = new Set(this.#hls.levels.map(({ uri }) => urlWithoutQuery(uri)))
    return [...this.#reach].some(([path, { ended }]) => !ended && !playable.has(path) && (this.#listed?.includes(path) ?? true))
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#plan)
    clearTimeout(this.#timer)
    this.#finished = true
  }

  readonly #plan = (): void => {
    clearTimeout(this.#timer)
    if (this.#finished || document.hidden) return
    const needed = [...this.#reach.values()].some(({ ended }) => !ended)
    this.#timer = window.setTimeout(() => void this.#look(), needed ? Math.min(this.#pause, PAUSE_WHILE_NEEDED) : this.#pause)
  }

  async #look(): Promise<void> {
    this.#pause = Math.min(this.#pause * SLOWING, LONGEST_PAUSE)
    const response = await fetch(this.#url).catch(() => null)
    const text = response?.ok ? await response.text().catch(() => null) : null
    if (this.#finished) return
    if (text !== null) {
      const listed = this.#library.M3U8Parser.parseMasterPlaylist(text, this.#url).levels.map(({ url }) => url)
      await this.#measure(listed)
      if (this.#finished) return
      this.#listed = listed.map(urlWithoutQuery)
      this.#master = text
      if (this.fit(this.#place())) this.#pause = FIRST_PAUSE
    }
    this.#plan()
  }

  /** Reads the ends of those rungs that had none yet. */
  async #measure(urls: string[]): Promise<void> {
    const open = urls.filter(url => !this.#reach.get(urlWithoutQuery(url))?.ended)
    await Promise.all(
      open.map(async url => {
        const reach = await fetchPlaylistEnd(url)
        if (reach) this.#reach.set(urlWithoutQuery(url), reach)
      })
    )
  }
}
