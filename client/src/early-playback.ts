import type { MediaAttachingData } from 'hls.js'
import type { EarlyPlaybackManifest, EarlyPlaybackFile, EarlyPlaybackTrack } from '../../shared/early-playback.ts'

// Inside pages that begin with a film, before all else (server/pages/html-document.ts), built by itself: the film is asked for, and begins
// where
// play is pressed, before any of the client is there.

/** What was asked for ahead, and when (ms) it was asked, answered and there. */
type Piece = EarlyPlaybackFile & { bytes: Promise<ArrayBuffer>; began: number; answered: number; ended: number }
/** What the client takes over: pieces, and a media element where they play already. */
export type EarlyPlaybackHandover = { pieces: Piece[]; opening: EarlyPlayer | null }

/** The first seconds of a film, playing from what was fetched ahead; the library takes the media source over when it is there. */
class EarlyPlayer {
  readonly media = document.createElement('video')
  /** Resolves when the library may come: with what it goes on with, or null where it has to begin by itself. */
  readonly ready: Promise<MediaAttachingData | null>
  /** Resolves when play was pressed before there was a player, and the film may begin there. */
  readonly wished: Promise<void>
  readonly #master: string
  readonly #source = new MediaSource()
  readonly #url = URL.createObjectURL(this.#source)
  readonly #written = new AbortController()

  constructor({ master, duration }: EarlyPlaybackManifest, pieces: Piece[]) {
    this.#master = master
    this.ready = this.#load(duration, pieces).catch(() => {
      this.stop()
      return null
    })
    this.wished = new Promise(resolve => {
      // Whoever has set a loudness hears nothing before there is a player that knows it; nor where an address has wishes.
      if (kept('volume') || location.search !== '') return
      const { signal } = this.#written
      // Noted before by head-script.ts.
      for (const type of ['mousedown', 'click'])
        addEventListener(
          type,
          () => {
            if ('pressed' in document.documentElement.dataset) resolve()
          },
          { signal }
        )
    })
    void this.wished
      .then(() => this.#playInWritten())
      .catch(() => {
        /* refused: the player's button stays */
      })
  }

  /** There is a player now: it answers what is pressed. */
  leaveWritten(): void {
    this.#written.abort()
  }

  /** Whether this is the video with a playlist. */
  isOf(url: string): boolean {
    return new URL(url, location.href).pathname === this.#master
  }

  /** Ends what nobody goes on with. */
  stop(): void {
    if (this.media.src === this.#url) this.media.removeAttribute('src')
    URL.revokeObjectURL(this.#url)
  }

  /** Plays in the page the server wrote, as soon as there is something to play. The player takes the element over, and it goes on. */
  async #playInWritten(): Promise<void> {
    const box = document.querySelector('#app .player')
    if (!(await this.ready) || !box || this.#written.signal.aborted) return
    const { media } = this
    const poster = box.querySelector<HTMLImageElement>('.player-poster')
    const film = document.createElement('div')
    film.className = 'player-film'
    media.playsInline = true
    if (poster) media.poster = poster.src
    film.append(media)
    if (poster) poster.replaceWith(film)
    else box.prepend(film)
    await media.play()
    box.querySelector('.player-start')?.remove()
  }

  async #load(duration: number, pieces: Piece[]): Promise<MediaAttachingData> {
    const opened = heard(this.#source, 'sourceopen', 'sourceclose')
    this.media.src = this.#url
    await opened
    this.#source.duration = duration
    const buffers = pieces.map(({ track, bytes }) => ({ bytes, track: track!, buffer: this.#source.addSourceBuffer(typeOf(track!)) }))
    await Promise.all(
      buffers.map(async ({ bytes, buffer }) => {
        const whole = await bytes
        const taken = heard(buffer, 'updateend', 'error')
        buffer.appendBuffer(whole)
        await taken
      })
    )
    return {
      media: this.media,
      mediaSource: this.#source,
      tracks: Object.fromEntries(
        buffers.map(({ track, buffer }) => [track.type, { ...track, levelCodec: track.codec, buffer, listeners: [] }])
      )
    }
  }
}

export type { EarlyPlayer as Opening }

const beginning = JSON.parse(document.currentScript!.dataset.film!) as EarlyPlaybackManifest
// Not where whoever has watched before may begin with another quality, nor by who was sent to a place.
if (!kept('bandwidth') && !kept('quality') && !new URLSearchParams(location.search).has('start')) {
  const pieces = beginning.files.map(ask)
  // Not where the library would not use a plain media source.
  const playable =
    'MediaSource' in window &&
    !('ManagedMediaSource' in window) &&
    pieces.every(({ track }) => track && MediaSource.isTypeSupported(typeOf(track)))
  Object.assign(window, {
    bobineFilm: { pieces, opening: playable ? new EarlyPlayer(beginning, pieces) : null } satisfies EarlyPlaybackHandover
  })
}

function kept(key: string): string | null {
  try {
    return localStorage.getItem('bobine.' + key)
  } catch {
    return null
  }
}

function ask(first: EarlyPlaybackFile): Piece {
  const [, end] = first.ends
  const times = { began: performance.now(), answered: 0, ended: 0 }
  const fetched = async (): Promise<ArrayBuffer> => {
    const response = await fetch(first.file, { headers: { Range: `bytes=0-${end - 1}` }, priority: 'low' })
    piece.answered = performance.now()
    const bytes = await response.arrayBuffer()
    piece.ended = performance.now()
    if (response.status !== 206 || bytes.byteLength !== end) throw new Error(`${response.status} while fetching ahead`)
    return bytes
  }
  const bytes = fetched()
  const piece: Piece = { ...first, ...times, bytes }
  // Whoever takes it hears of it.
  bytes.catch(() => {})
  return piece
}

function typeOf({ container, codec }: EarlyPlaybackTrack): string {
  return `${container};codecs="${codec}"`
}

async function heard(target: EventTarget, good: string, bad: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    target.addEventListener(good, () => resolve(), { once: true })
    target.addEventListener(bad, () => reject(new Error(bad)), { once: true })
  })
}
