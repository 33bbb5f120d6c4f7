import type Hls from 'hls.js'
import { dataSaver } from './data-saver.ts'

/** Seconds that are loaded ahead of what plays; before anything plays that is the first segment, however long. */
const SECONDS = { beforePlay: 0.1, playing: 30, onUnsteadyLine: 60, withDataSaver: 10 }

/** Decides how much of a video hls.js loads ahead. A line is unsteady once playback has stalled, or a segment took longer than it plays. */
export class BufferAhead {
  readonly #media: HTMLMediaElement
  readonly #stopped = new AbortController()
  readonly #unsubscribe: () => void
  /** Kinds of segments (`main`, `audio`) that have begun to load since the start or a seek. */
  readonly #begunTypes = new Set<string>()
  #hls: Hls | null = null
  #hasBegun: boolean
  #isUnsteady = false

  constructor(media: HTMLMediaElement) {
    this.#media = media
    this.#hasBegun = !media.paused
    const { signal } = this.#stopped
    media.addEventListener('play', () => this.#change({ hasBegun: true }), { signal })
    media.addEventListener('seeking', () => this.#expectSegments(), { signal })
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
    hls.on(Events.FRAG_LOADING, (_, { frag: { sn, type } }) => {
      if (sn !== 'initSegment') this.#begunTypes.add(type)
      const hasVideo = this.#begunTypes.has('main') || this.#isBuffered()
      if (!this.#hasBegun && hasVideo && (this.#begunTypes.has('audio') || hls.audioTracks.length === 0)) hls.pauseBuffering()
    })
    // A segment that failed is tried again.
    hls.on(Events.ERROR, () => this.#expectSegments())
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

  /** The first segments, which are loaded before play, are others than those that have begun to load. */
  #expectSegments(): void {
    this.#begunTypes.clear()
    this.#hls?.resumeBuffering()
  }

  #isBuffered(): boolean {
    const { buffered, currentTime } = this.#media
    return Array.from({ length: buffered.length }, (_, index) => index).some(
      index => buffered.start(index) <= currentTime + 0.1 && buffered.end(index) > currentTime
    )
  }

  #onWaiting(): void {
    // At the end of a growing playlist the encoder is what is waited for.
    if (this.#media.played.length === 0 || this.#media.seeking || this.#hls?.latestLevelDetails?.live) return
    this.#change({ isUnsteady: true })
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
