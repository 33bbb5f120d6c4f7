import type Hls from 'hls.js'
import { addLevels, urlWithoutQuery, removeLevel } from './levels.ts'
import { fetchPlaylistEnd, type PlaylistEnd } from './playlist-tail.ts'

type HlsModule = typeof import('./hls.ts')

const MIN_POLL_MS = 3000
const MAX_POLL_MS = 60_000
const MAX_POLL_WHILE_GROWING_MS = 5000
const POLL_BACKOFF = 1.4
/** A growing level is added when its playlist ends this many seconds ahead of the viewer, and removed when it ends less than that ahead. */
const ADD_AHEAD_SECONDS = 10
const REMOVE_AHEAD_SECONDS = 4

/**
 * Limits the levels of hls.js to those that can be played from the current time, while renditions of the video are still being transcoded.
 * Adds levels once their playlists are far enough ahead, without interrupting playback; removes a level whose end the viewer reaches or
 * seeks beyond, provided that another rendition is complete.
 * Polls the master playlist and the ends of growing media playlists, with increasing delays, and not while the tab is hidden.
 */
export class PlayableLevels {
  readonly #hlsModule: HlsModule
  readonly #hls: Hls
  readonly #url: string
  readonly #currentTime: () => number
  readonly #onPendingChange: (pending: boolean) => void
  /** By the URL of the media playlist without its query. */
  readonly #playlistEnds = new Map<string, PlaylistEnd>()
  #masterPlaylist: string | null = null
  #listedUrls: string[] | null = null
  #finished: boolean
  #pollDelay = MIN_POLL_MS
  #timer = 0

  /**
   * `unfinished`: whether renditions may still be growing or missing; `currentTime` returns the time of the viewer in seconds;
   * `onPendingChange` is called with whether renditions are growing that cannot be chosen yet.
   */
  constructor(
    hlsModule: HlsModule,
    hls: Hls,
    url: string,
    unfinished: boolean,
    currentTime: () => number,
    onPendingChange: (pending: boolean) => void
  ) {
    this.#hlsModule = hlsModule
    this.#hls = hls
    this.#url = new URL(url, location.href).href
    this.#currentTime = currentTime
    this.#onPendingChange = onPendingChange
    this.#finished = !unfinished
    document.addEventListener('visibilitychange', this.#schedulePoll)
  }

  /** Fetches the ends of all media playlists before the first segment is loaded, so that no level is selected that ends before `at`. */
  async start(at: number): Promise<void> {
    if (this.#finished) return
    await this.#fetchPlaylistEnds(this.#hls.levels.map(level => level.uri))
    this.adjust(at)
    this.#schedulePoll()
  }

  /** Returns how many seconds of the video can be played in some rendition; Infinity once one is complete. */
  playableUntil(): number {
    const ends = [...this.#playlistEnds.values()]
    return this.#finished || ends.length === 0 || ends.some(({ ended }) => ended) ? Infinity : Math.max(...ends.map(({ edge }) => edge))
  }

  /** Records the end of a media playlist that hls.js itself has loaded. */
  updatePlaylistEnd(url: string, end: PlaylistEnd): void {
    const known = this.#playlistEnds.has(urlWithoutQuery(url))
    if (this.#finished && end.ended) return
    this.#playlistEnds.set(urlWithoutQuery(url), end)
    if (end.ended || known) return
    // The source called the video finished, but its playlist grows.
    this.#finished = false
    this.#schedulePoll()
  }

  /** Removes and adds levels for a viewer at `at` seconds; returns whether levels were added. */
  adjust(at: number): boolean {
    const { levels } = this.#hls
    const anyComplete = [...this.#playlistEnds.values()].some(({ ended }) => ended)
    const endsTooEarly = (uri: string, secondsAhead: number) => {
      const end = this.#playlistEnds.get(urlWithoutQuery(uri))
      return anyComplete && end !== undefined && !end.ended && end.edge < at + secondsAhead
    }
    for (const { uri } of levels.filter(level => endsTooEarly(level.uri, REMOVE_AHEAD_SECONDS))) {
      if (this.#hls.levels.length > 1) removeLevel(this.#hls, uri)
    }
    const added =
      this.#masterPlaylist !== null &&
      addLevels(
        this.#hlsModule,
        this.#hls,
        this.#masterPlaylist,
        this.#url,
        url => this.#playlistEnds.has(urlWithoutQuery(url)) && !endsTooEarly(url, ADD_AHEAD_SECONDS)
      ) > 0
    this.#onPendingChange(this.#hasPendingRenditions())
    return added
  }

  #hasPendingRenditions(): boolean {
    const playable = new Set(this.#hls.levels.map(({ uri }) => urlWithoutQuery(uri)))
    return [...this.#playlistEnds].some(([url, { ended }]) => !ended && !playable.has(url) && (this.#listedUrls?.includes(url) ?? true))
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#schedulePoll)
    clearTimeout(this.#timer)
    this.#finished = true
  }

  readonly #schedulePoll = (): void => {
    clearTimeout(this.#timer)
    if (this.#finished || document.hidden) return
    const growing = [...this.#playlistEnds.values()].some(({ ended }) => !ended)
    this.#timer = window.setTimeout(
      () => void this.#poll(),
      growing ? Math.min(this.#pollDelay, MAX_POLL_WHILE_GROWING_MS) : this.#pollDelay
    )
  }

  async #poll(): Promise<void> {
    this.#pollDelay = Math.min(this.#pollDelay * POLL_BACKOFF, MAX_POLL_MS)
    const response = await fetch(this.#url).catch(() => null)
    const text = response?.ok ? await response.text().catch(() => null) : null
    if (this.#finished) return
    if (text !== null) {
      const urls = this.#hlsModule.M3U8Parser.parseMasterPlaylist(text, this.#url).levels.map(({ url }) => url)
      await this.#fetchPlaylistEnds(urls)
      if (this.#finished) return
      this.#listedUrls = urls.map(urlWithoutQuery)
      this.#masterPlaylist = text
      if (this.adjust(this.#currentTime())) this.#pollDelay = MIN_POLL_MS
    }
    this.#schedulePoll()
  }

  /** Fetches the ends of those media playlists that are not known to be complete. */
  async #fetchPlaylistEnds(urls: string[]): Promise<void> {
    const incomplete = urls.filter(url => !this.#playlistEnds.get(urlWithoutQuery(url))?.ended)
    await Promise.all(
      incomplete.map(async url => {
        const end = await fetchPlaylistEnd(url)
        if (end) this.#playlistEnds.set(urlWithoutQuery(url), end)
      })
    )
  }
}
