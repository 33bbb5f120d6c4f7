import type { MediaAttachingData, SourceBufferName } from 'hls.js'
import { beginning, peekAnswer } from '../first-data.ts'
import { pause } from '../pause.ts'
import { fetchAhead, type Ahead } from './ahead.ts'

type Track = { type: SourceBufferName, id: 'main' | 'audio', container: string, codec: string, bytes: Promise<ArrayBuffer> }

const PICTURES = /^(avc|hev|hvc|av01|vp0?9|dvh)/

let prepared: Opening | null = null

/** Begins to load the first seconds of the opened page's video, before there is a player: into a media element of their own, which the player takes over. */
export async function prepareFilm(): Promise<void> {
  const files = fetchAhead()
  await pause()
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
  if (url !== null && one.isOf(url)) return one
  one.stop()
  return null
}

/** The first seconds of a film, playing from what was fetched ahead; the library takes the media source over when it is there. */
export class Opening {
  readonly media = document.createElement('video')
  readonly #source = new MediaSource()
  readonly #url = URL.createObjectURL(this.#source)
  /** Resolves when the library may come: with what it goes on with, or null where it has to begin by itself. */
  readonly ready: Promise<MediaAttachingData | null>

  constructor(tracks: Track[], duration: number) {
    this.ready = this.#load(duration, tracks).catch(() => {
      this.stop()
      return null
    })
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
