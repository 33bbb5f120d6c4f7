import type { MediaAttachingData } from 'hls.js'
import type { EarlyPlaybackManifest, EarlyPlaybackFile, EarlyPlaybackTrack } from '../../shared/early-playback.ts'

// Inlined into pages that start with a video, before every other script (server/pages/html-document.ts); a build entry of its own. Fetches
// the beginning of the video, and plays it when play is pressed, before the client has loaded.

/** The prefetched beginning of a file, and when (milliseconds) the request started, the response headers arrived and the body ended. */
type PrefetchedFile = EarlyPlaybackFile & { bytes: Promise<ArrayBuffer>; startedAt: number; respondedAt: number; endedAt: number }
/** What the client takes over: prefetched files, and the player of a media element with their data where the browser can play it. */
export type EarlyPlaybackHandover = { files: PrefetchedFile[]; player: EarlyPlayer | null }

/** Plays the first seconds of a video from prefetched data; hls.js takes over the media element and its media source once it has loaded. */
class EarlyPlayer {
  readonly media = document.createElement('video')
  /** Resolves once the data is in the buffers: with what hls.js attaches to; null where that failed and hls.js has to start on its own. */
  readonly attachment: Promise<MediaAttachingData | null>
  /** Resolves when play is pressed before the client has loaded, unless playing has to wait for the client. */
  readonly playRequested: Promise<void>
  readonly #masterPath: string
  readonly #mediaSource = new MediaSource()
  readonly #objectUrl = URL.createObjectURL(this.#mediaSource)
  readonly #detached = new AbortController()

  constructor({ master, duration }: EarlyPlaybackManifest, files: PrefetchedFile[]) {
    this.#masterPath = master
    this.attachment = this.#fillBuffers(duration, files).catch(() => {
      this.stop()
      return null
    })
    this.playRequested = new Promise(resolve => {
      // The client has to apply a saved volume, or the options in the query, before anything plays.
      if (readStoredValue('volume') || location.search !== '') return
      const { signal } = this.#detached
      // head-script.ts has recorded the press before.
      for (const type of ['mousedown', 'click'])
        addEventListener(
          type,
          () => {
            if ('pressed' in document.documentElement.dataset) resolve()
          },
          { signal }
        )
    })
    void this.playRequested
      .then(() => this.#playInServerPage())
      .catch(() => {
        /* not allowed by the browser: the play button stays */
      })
  }

  /** Stops handling presses in the server-rendered page: the player of the client handles them from now on. */
  detachFromServerPage(): void {
    this.#detached.abort()
  }

  /** Whether this player has the video with this master playlist. */
  playsPlaylist(url: string): boolean {
    return new URL(url, location.href).pathname === this.#masterPath
  }

  /** Releases the media source when no player takes it over. */
  stop(): void {
    if (this.media.src === this.#objectUrl) this.media.removeAttribute('src')
    URL.revokeObjectURL(this.#objectUrl)
  }

  /** Plays in the server-rendered page as soon as data is in the buffers; the client later moves the playing element to its player. */
  async #playInServerPage(): Promise<void> {
    const playerElement = document.querySelector('#app .player')
    if (!(await this.attachment) || !playerElement || this.#detached.signal.aborted) return
    const { media } = this
    const poster = playerElement.querySelector<HTMLImageElement>('.player-poster')
    const container = document.createElement('div')
    container.className = 'player-film'
    media.playsInline = true
    if (poster) media.poster = poster.src
    container.append(media)
    if (poster) poster.replaceWith(container)
    else playerElement.prepend(container)
    await media.play()
    playerElement.querySelector('.player-start')?.remove()
  }

  async #fillBuffers(duration: number, files: PrefetchedFile[]): Promise<MediaAttachingData> {
    const opened = onceEvent(this.#mediaSource, 'sourceopen', 'sourceclose')
    this.media.src = this.#objectUrl
    await opened
    this.#mediaSource.duration = duration
    const buffers = files.map(({ track, bytes }) => ({
      bytes,
      track: track!,
      buffer: this.#mediaSource.addSourceBuffer(mimeTypeOf(track!))
    }))
    await Promise.all(
      buffers.map(async ({ bytes, buffer }) => {
        const data = await bytes
        const appended = onceEvent(buffer, 'updateend', 'error')
        buffer.appendBuffer(data)
        await appended
      })
    )
    return {
      media: this.media,
      mediaSource: this.#mediaSource,
      tracks: Object.fromEntries(
        buffers.map(({ track, buffer }) => [track.type, { ...track, levelCodec: track.codec, buffer, listeners: [] }])
      )
    }
  }
}

export type { EarlyPlayer }

const manifest = JSON.parse(document.currentScript!.dataset.film!) as EarlyPlaybackManifest
const query = new URLSearchParams(location.search)
const savesData =
  (readStoredValue('dataSaver') ?? String((navigator as { connection?: { saveData?: boolean } }).connection?.saveData)) === 'true'
// An embedded player may never be looked at.
const isWanted = !savesData && (!location.pathname.startsWith('/videos/') || /^(1|true)$/.test(query.get('autoplay') ?? ''))
// Not for viewers whose saved bandwidth or quality may select another rendition, and not where the video starts at a given time.
if (isWanted && !readStoredValue('bandwidth') && !readStoredValue('quality') && !query.has('start')) {
  const files = manifest.files.map(prefetchFile)
  // Not where hls.js would use a managed media source.
  const playable =
    'MediaSource' in window &&
    !('ManagedMediaSource' in window) &&
    files.every(({ track }) => track && MediaSource.isTypeSupported(mimeTypeOf(track)))
  Object.assign(window, {
    bobineFilm: { files, player: playable ? new EarlyPlayer(manifest, files) : null } satisfies EarlyPlaybackHandover
  })
}

function readStoredValue(key: string): string | null {
  try {
    return localStorage.getItem('bobine.' + key)
  } catch {
    return null
  }
}

function prefetchFile(file: EarlyPlaybackFile): PrefetchedFile {
  const [, end] = file.ends
  const times = { startedAt: performance.now(), respondedAt: 0, endedAt: 0 }
  const fetchBytes = async (): Promise<ArrayBuffer> => {
    const response = await fetch(file.file, { headers: { Range: `bytes=0-${end - 1}` }, priority: 'low' })
    prefetched.respondedAt = performance.now()
    const bytes = await response.arrayBuffer()
    prefetched.endedAt = performance.now()
    if (response.status !== 206 || bytes.byteLength !== end) throw new Error(`${response.status} while fetching ahead`)
    return bytes
  }
  const bytes = fetchBytes()
  const prefetched: PrefetchedFile = { ...file, ...times, bytes }
  // Avoids an unhandled rejection; the consumer of `bytes` handles the error.
  bytes.catch(() => {})
  return prefetched
}

function mimeTypeOf({ container, codec }: EarlyPlaybackTrack): string {
  return `${container};codecs="${codec}"`
}

async function onceEvent(target: EventTarget, successEvent: string, failureEvent: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    target.addEventListener(successEvent, () => resolve(), { once: true })
    target.addEventListener(failureEvent, () => reject(new Error(failureEvent)), { once: true })
  })
}
