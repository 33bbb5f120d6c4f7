import type { MediaAttachingData, SourceBufferName } from 'hls.js'
import { beginning, peekAnswer } from '../first-data.ts'
import { goFirst } from '../pause.ts'
import { read } from '../storage.ts'
import { takeAhead, type Ahead } from './ahead.ts'

type Track = { type: SourceBufferName, id: 'main' | 'audio', container: string, codec: string, bytes: Promise<ArrayBuffer> }

const PICTURES = /^(avc|hev|hvc|av01|vp0?9|dvh)/

/** So long (ms) the drawing of the page waits at most for a first picture: on a quick line that is enough, on a slow one it would only come later. */
const WORTH = 150

let prepared: Opening | null = null

/** Begins to load the first seconds of the opened page's video, before there is a player: into a media element of their own, which the player takes over. */
export function prepareFilm(): void {
  const files = takeAhead()
  // Not where the library would not use a plain media source.
  if (!beginning || !files || !('MediaSource' in window) || 'ManagedMediaSource' in window) return
  const master = String(peekAnswer(beginning.master))
  const tracks = files.map(file => trackOf(file, master))
  if (tracks.every(track => track !== null && MediaSource.isTypeSupported(typeOf(track)))) prepared = new Opening(tracks as Track[], beginning.duration)
}

/** The media element to play a video in, by the address of its playlist: the one it was prepared in, else a new one. */
export function filmFor(url: string): HTMLVideoElement {
  return prepared?.isOf(url) ? prepared.media : document.createElement('video')
}

/** What was prepared in this element for the video with this playlist; null where nothing was. It serves once; without an address it is given up. */
export function takeOpening(media: HTMLVideoElement, url: string | null): Opening | null {
  if (prepared?.media !== media) return null
  const one = prepared
  prepared = null
  one.leaveWritten()
  if (url !== null && one.isOf(url)) return one
  one.stop()
  return null
}

/** Resolves with the next picture on the screen. */
export async function shown(media: HTMLVideoElement): Promise<void> {
  if ('requestVideoFrameCallback' in media) await new Promise(resolve => { media.requestVideoFrameCallback(resolve) })
}

/** The first seconds of a film, playing from what was fetched ahead; the library takes the media source over when it is there. */
export class Opening {
  readonly media = document.createElement('video')
  readonly #source = new MediaSource()
  readonly #url = URL.createObjectURL(this.#source)
  /** Resolves when the library may come: with what it goes on with, or null where it has to begin by itself. */
  readonly ready: Promise<MediaAttachingData | null>
  readonly #written = new AbortController()

  constructor(tracks: Track[], duration: number) {
    this.ready = this.#load(duration, tracks).catch(() => {
      this.stop()
      return null
    })
    // Whoever has set a loudness hears nothing before there is a player that knows it; nor where an address has wishes.
    if (read('volume') === null && location.search === '') void this.#playInWritten()
  }

  /** There is a player now: it answers what is pressed. */
  leaveWritten(): void {
    this.#written.abort()
  }

  /** Whether this is the video with a playlist. */
  isOf(url: string): boolean {
    return new URL(url, location.href).pathname === beginning?.master
  }

  /** Ends what nobody goes on with. */
  stop(): void {
    if (this.media.src === this.#url) this.media.removeAttribute('src')
    URL.revokeObjectURL(this.#url)
  }

  /** Plays in the page the server wrote, where play was pressed there, as soon as there is something to play. The player takes the element over, and it goes on. */
  async #playInWritten(): Promise<void> {
    const { signal } = this.#written
    const box = document.querySelector('#app .player')
    if (!box) return
    await new Promise<void>(resolve => {
      // The press itself notes first that it was one (first.ts).
      const look = (): void => { if ('pressed' in document.documentElement.dataset) resolve() }
      for (const type of ['mousedown', 'click']) addEventListener(type, look, { signal })
      look()
    })
    goFirst(this.#showIn(box, signal).catch(() => { /* refused: the player's button stays */ }), WORTH)
  }

  async #showIn(box: Element, signal: AbortSignal): Promise<void> {
    if (!await this.ready || signal.aborted) return
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
    await shown(media)
  }

  async #load(duration: number, tracks: Track[]): Promise<MediaAttachingData> {
    const opened = heard(this.#source, 'sourceopen', 'sourceclose')
    this.media.src = this.#url
    await opened
    this.#source.duration = duration
    const buffers = tracks.map(track => [track, this.#source.addSourceBuffer(typeOf(track))] as const)
    await Promise.all(buffers.map(async ([{ bytes }, buffer]) => {
      const whole = await bytes
      const taken = heard(buffer, 'updateend', 'error')
      buffer.appendBuffer(whole)
      await taken
    }))
    return {
      media: this.media, mediaSource: this.#source,
      tracks: Object.fromEntries(buffers.map(([{ type, id, container, codec }, buffer]) => [type, { id, container, codec, levelCodec: codec, buffer, listeners: [] }]))
    }
  }
}

/** What a file brings, by what the master playlist says of it; null where that is not clear. */
function trackOf({ playlist, bytes }: Ahead, master: string): Track | null {
  const name = playlist.split('/').at(-1)!
  const lines = master.split('\n')
  const rendition = lines.find(line => line.startsWith('#EXT-X-MEDIA:TYPE=AUDIO') && line.includes(`URI="${name}"`))
  const variants = lines.filter((line, index) => line.startsWith('#EXT-X-STREAM-INF:') && (rendition || lines[index + 1] === name))
  const codecs = /CODECS="([^"]+)"/.exec(variants[0] ?? '')?.[1]?.split(',')
  if (!codecs) return null
  const apart = rendition !== undefined || /AUDIO="/.test(variants[0]!)
  const wanted = codecs.filter(codec => !apart || PICTURES.test(codec) === !rendition)
  const pictures = wanted.some(codec => PICTURES.test(codec))
  const type = !pictures ? 'audio' : wanted.length > 1 ? 'audiovideo' : 'video'
  return wanted.length === 0 ? null : { type, id: rendition ? 'audio' : 'main', container: pictures ? 'video/mp4' : 'audio/mp4', codec: wanted.join(','), bytes }
}

function typeOf({ container, codec }: Track): string {
  return `${container};codecs="${codec}"`
}

async function heard(target: EventTarget, good: string, bad: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    target.addEventListener(good, () => resolve(), { once: true })
    target.addEventListener(bad, () => reject(new Error(bad)), { once: true })
  })
}
