import type Hls from 'hls.js'
import { dataSaver } from './data-saver.ts'

/** Seconds that are loaded ahead of what plays; before anything plays that is the first segment, however long. */
const SECONDS = { beforePlay: 0.1, playing: 30, onUnsteadyLine: 60, withDataSaver: 10 }

/** Decides how much of a video hls.js loads ahead. A line is unsteady once playback has stalled, or a segment took longer than it plays. */
export class BufferAhead {
  readonly #media: HTMLMediaElement
  readonly #stopped = new AbortController()
  readonly #unsubscribe: () => void
  #hls: Hls | null = null
  #hasBegun: boolean
  #isUnsteady = false

  constructor(media: HTMLMediaElement) {
    this.#media = media
    this.#hasBegun = !media.paused
    const { signal } = this.#stopped
    media.addEventListener('play', () => this.#change({ hasBegun: true }), { signal })
    media.addEventListener('seeking', () => this.#hls?.resumeBuffering(), { signal })
    media.addEventListener('waiting', () => this.#onWaiting(), { signal })
    this.#unsubscribe = dataSaver.subscribe(() => this.#apply())
  }

  /** Seconds, for now. */
  get seconds(): number {
    if (!this.#hasBegun) return SECONDS.beforePlay
    return dataSaver.peek() ? SECONDS.withDataSaver : this.#isUnsteady ? SECONDS.onUnsteadyLine : SECONDS.playing
  }

  attach({ Events }: typeof import('./hls.ts'), hls: Hls): void {
    this.#hls = hls
    // Audio waits for the first picture to be in its buffer, and hls.js would load on while that is empty.
    const begunTypes = new Set<string>()
    hls.on(Events.FRAG_LOADING, (_, { frag: { sn, type } }) => {
      if (sn !== 'initSegment') begunTypes.add(type)
      const hasVideo = begunTypes.has('main') || this.#media.buffered.length > 0
      if (!this.#hasBegun && hasVideo && (begunTypes.has('audio') || hls.audioTracks.length === 0)) hls.pauseBuffering()
    })
    hls.on(Events.FRAG_BUFFERED, (_, { frag, stats: { loading } }) => {
      if (loading.end - loading.start > frag.duration * 1000) this.#change({ isUnsteady: true })
    })
    this.#apply()
  }

  stop(): void {
    this.#stopped.abort()
    this.#unsubscribe()
    this.#hls = null
  }

  #onWaiting(): void {
    if (this.#media.played.length > 0 && !this.#media.seeking) this.#change({ isUnsteady: true })
  }

  #change({ hasBegun = this.#hasBegun, isUnsteady = this.#isUnsteady }: { hasBegun?: boolean; isUnsteady?: boolean }): void {
    if (hasBegun && !this.#hasBegun) this.#hls?.resumeBuffering()
    this.#hasBegun = hasBegun
    this.#isUnsteady = isUnsteady
    this.#apply()
  }

  #apply(): void {
    // By itself hls.js loads up to 60 MB, which is ten minutes of a small rendition.
    if (this.#hls) this.#hls.config.maxBufferLength = this.#hls.config.maxMaxBufferLength = this.seconds
  }
}
