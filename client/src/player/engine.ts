import { signal } from '@preact/signals'
import type Hls from 'hls.js'
import type { BufferCreatedTrackSet, ErrorData, Level, MediaAttachingData } from 'hls.js'
import { yieldToMain, waitForNextTask } from '../main-thread.ts'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'
import { createPrefetchLoader } from './prefetch-loader.ts'
import { PlayerAudioTracks } from './audio-tracks.ts'
import { adoptEarlyPlayer, type Opening } from './early-playback.ts'
import { PlayableLevels } from './playable-levels.ts'
import type { PlaybackError, PlayerRendition, PlayerSource } from './source.ts'

type Library = typeof import('./hls.ts')

/** What the statistics tell of the loading. */
export type LoadingStats = { codecs: string | null; bitrate: number | null; bandwidth: number | null; host: string }

const HLS_TYPE = 'application/vnd.apple.mpegurl'
const BUFFER_BEHIND = 60
/** How far from the last segment of a growing playlist a wish to jump is taken as a wish to wait. */
const EDGE = 1
const MEDIA_RECOVERIES = 2
/**
 * The short side of the first picture where nobody knows the viewer's line yet: the page has asked for its playlist ahead
 * (server/pages/early-playback.ts).
 */
const FIRST_SIZE = 240

/** Loads a video into a media element: hls.js where the browser has media sources, elsewhere the browser's own HLS or one whole file. */
export class PlayerEngine {
  /** Best first; empty where the browser chooses by itself. */
  readonly qualities = signal<PlayerRendition[]>([])
  /** The viewer's choice; null is automatic. */
  readonly chosen = signal<PlayerRendition | null>(null)
  /** What is on the screen. */
  readonly shown = signal<PlayerRendition | null>(null)
  readonly audios = new PlayerAudioTracks()
  readonly growing = signal(false)
  /** Whether qualities are being made that cannot be chosen yet. */
  readonly coming = signal(false)
  /** Seconds that can be played so far; Infinity once everything can. */
  readonly ready = signal(Infinity)
  /** A place the viewer wants to see that is not there yet. */
  readonly awaited = signal<number | null>(null)
  readonly fault = signal<PlaybackError | null>(null)

  readonly #media: HTMLVideoElement
  /** Asks for the source anew when its files moved or its token ran out. */
  readonly #renew: () => Promise<PlayerSource | null>
  #source: PlayerSource | null = null
  #library: Library | null = null
  #opening: Opening | null = null
  #hls: Hls | null = null
  #rungs: PlayableLevels | null = null
  #recoveries = 0
  #renewed = false
  #resumeAfterWait = false

  constructor(media: HTMLVideoElement, renew: () => Promise<PlayerSource | null>) {
    this.#media = media
    this.#renew = renew
    addEventListener('online', this.#online)
  }

  /** Loads a source from a place in seconds; resolves when there is something to play, or a fault. */
  async load(source: PlayerSource, at: number): Promise<void> {
    this.#source = source
    this.#reset()
    const opening = (this.#opening = adoptEarlyPlayer(this.#media, at === 0 && !source.plain ? source.url : null))
    if (source.plain) return this.#loadFile(source.url, at)
    if (!('MediaSource' in window || 'ManagedMediaSource' in window)) return this.#loadNatively(source, at)
    const loaded = this.#loadByLibrary(source, at, opening)
    if (!opening) await loaded
  }

  /** Shows a quality from the next segment on; null lets the connection decide. Unless told otherwise it is kept for later videos. */
  choose(quality: PlayerRendition | null, keep = true): void {
    this.chosen.value = quality
    if (keep) writeLocalStorage('quality', quality?.size ?? null)
    if (!this.#hls) return
    this.#hls.nextLevel = quality ? this.#indexOf(this.#hls, quality) : -1
  }

  /** Jumps to a place; waits for it where a growing video is not that far yet. */
  seek(seconds: number, end: number): void {
    const target = Math.min(Math.max(0, seconds), end)
    if (target > this.ready.value - EDGE) {
      this.#resumeAfterWait ||= !this.#media.paused
      this.#media.pause()
      this.awaited.value = target
      return
    }
    this.stopWaiting()
    this.#rungs?.fit(target)
    this.#media.currentTime = target
  }

  /**
   * What is known of the loading: codecs and bits per second of what is shown, bits per second the connection is thought to carry, where it
   * comes from.
   */
  loading(): LoadingStats {
    const level = this.#hls?.levels[this.#hls.currentLevel]
    const estimate = this.#hls?.bandwidthEstimate ?? NaN
    return {
      codecs: level?.codecs ?? null,
      bitrate: level?.averageBitrate || null,
      bandwidth: Number.isFinite(estimate) ? estimate : null,
      host: this.#source ? new URL(this.#source.url, location.href).host : ''
    }
  }

  /** Gives up waiting for a place that is not there yet. */
  stopWaiting(): void {
    this.awaited.value = null
    this.#resumeAfterWait = false
  }

  /** Tries again after a fault, from the same place. */
  async retry(): Promise<void> {
    const at = this.#media.currentTime
    const source = (await this.#renew().catch(() => null)) ?? this.#source
    if (source) await this.load(source, at)
    await this.#media.play().catch(() => {
      /* the viewer presses play */
    })
  }

  destroy(): void {
    removeEventListener('online', this.#online)
    this.#source = null
    this.#reset()
  }

  readonly #online = (): void => {
    if (this.fault.peek() === 'network') void this.retry()
  }

  #reset(): void {
    this.#opening?.stop()
    this.#opening = null
    this.#rungs?.stop()
    this.#rungs = null
    this.#hls?.destroy()
    this.#hls = null
    this.#recoveries = 0
    this.fault.value = null
    this.qualities.value = []
    this.shown.value = null
    this.audios.clear()
    this.growing.value = false
    this.coming.value = false
    this.ready.value = Infinity
    this.stopWaiting()
  }

  async #loadByLibrary(source: PlayerSource, at: number, opening: Opening | null): Promise<void> {
    // The film before its library.
    const opened = (await opening?.ready) ?? null
    if (opened) await yieldToMain()
    try {
      this.#library ??= await import('./hls.ts')
    } catch {
      this.fault.value = 'network'
      return
    }
    await waitForNextTask()
    if (this.#source !== source) return opening?.stop()
    if (!this.#library.default.isSupported()) return this.#loadNatively(source, at)
    this.#opening = null
    this.#attach(this.#library, source, at, opened)
  }

  #loadNatively(source: PlayerSource, at: number): void {
    const url = this.#media.canPlayType(HLS_TYPE) === '' ? source.file : source.url
    if (url === null) this.fault.value = 'unplayable'
    else this.#loadFile(url, at)
  }

  #loadFile(url: string, at: number): void {
    this.#media.src = url
    if (at > 0)
      this.#media.addEventListener(
        'loadedmetadata',
        () => {
          this.#media.currentTime = at
        },
        { once: true }
      )
    this.#media.addEventListener(
      'error',
      () => {
        this.fault.value = this.#media.error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'unplayable'
      },
      { once: true }
    )
  }

  #attach(library: Library, source: PlayerSource, at: number, opened: MediaAttachingData | null): void {
    const { default: Hls, Events } = library
    const bandwidth = readLocalStorage<number>('bandwidth')
    const hls = (this.#hls = new Hls({
      loader: createPrefetchLoader(Hls.DefaultConfig.loader),
      autoStartLoad: false,
      testBandwidth: false,
      subtitleStreamController: undefined,
      subtitleTrackController: undefined,
      timelineController: undefined,
      backBufferLength: BUFFER_BEHIND,
      capLevelToPlayerSize: true,
      enableWorker: false,
      abrEwmaDefaultEstimate: bandwidth ?? Hls.DefaultConfig.abrEwmaDefaultEstimate
    }))
    const rungs = (this.#rungs = new PlayableLevels(
      library,
      hls,
      source.url,
      source.unfinished,
      () => this.#media.currentTime,
      coming => {
        this.coming.value = coming
      }
    ))
    this.audios.follow(library, hls)
    hls.on(Events.MANIFEST_PARSED, () => {
      const begin = async () => {
        await rungs.begin(at)
        if (this.#hls !== hls) return
        this.#list(hls)
        const wanted = this.qualities.peek().find(({ size }) => size === readLocalStorage<number>('quality'))
        if (wanted) {
          this.chosen.value = wanted
          hls.loadLevel = this.#indexOf(hls, wanted)
        } else if (bandwidth === null) hls.startLevel = firstLevel(hls.levels)
        hls.startLoad(at)
      }
      void begin()
    })
    hls.on(Events.LEVELS_UPDATED, () => {
      this.#list(hls)
      // Back to the viewer's choice as soon as it can be had again.
      const chosen = this.chosen.peek()
      if (chosen && hls.loadLevel !== this.#indexOf(hls, chosen)) hls.loadLevel = this.#indexOf(hls, chosen)
    })
    hls.on(Events.LEVEL_SWITCHED, (_, { level }) => {
      const now = hls.levels[level]
      this.shown.value = now ? qualityOf(now) : null
    })
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => {
      rungs.heed(details.url, { edge: details.edge, ended: !details.live })
      this.growing.value = details.live
      this.ready.value = rungs.reach()
      this.#answerWait()
    })
    hls.on(Events.FRAG_BUFFERED, () => {
      this.#recoveries = 0
      this.#renewed = false
      if (hls.bandwidthEstimate > 0) writeLocalStorage('bandwidth', Math.round(hls.bandwidthEstimate))
    })
    hls.on(Events.ERROR, (_, data) => {
      if (data.fatal) void this.#fail(library, hls, data)
    })
    // Who pressed play before there was anything to play: a new source may end that.
    const wished = !this.#media.paused
    hls.once(Events.MEDIA_ATTACHED, () => {
      if (wished && this.#media.paused)
        this.#media.play().catch(() => {
          /* the viewer presses play */
        })
    })
    // hls.js 1.7 tells of buffers it takes over before it tells of their media, which makes it forget them: it would load sound by what of
    // the picture is there.
    hls.once(Events.MEDIA_ATTACHED, (_, { mediaSource }) => {
      if (opened?.tracks && mediaSource === opened.mediaSource)
        hls.trigger(Events.BUFFER_CREATED, { tracks: opened.tracks as BufferCreatedTrackSet })
    })
    hls.attachMedia(opened ?? this.#media)
    hls.loadSource(source.url)
  }

  /** The level of a quality; -1, which is automatic, while there is none. */
  #indexOf(hls: Hls, quality: PlayerRendition): number {
    return hls.levels.findIndex(level => isSameRendition(qualityOf(level), quality))
  }

  #list(hls: Hls): void {
    const all = hls.levels.map(qualityOf).sort((a, b) => b.size - a.size || Number(b.fast) - Number(a.fast))
    this.qualities.value = all.filter((one, index) => index === 0 || !isSameRendition(one, all[index - 1]!))
  }

  #answerWait(): void {
    const target = this.awaited.peek()
    if (target === null || target > this.ready.peek() - EDGE) return
    const resume = this.#resumeAfterWait
    this.stopWaiting()
    this.#media.currentTime = target
    if (resume)
      this.#media.play().catch(() => {
        /* the viewer presses play */
      })
  }

  async #fail(library: Library, hls: Hls, { type, response }: ErrorData): Promise<void> {
    if (type === library.ErrorTypes.MEDIA_ERROR && this.#recoveries++ < MEDIA_RECOVERIES) return hls.recoverMediaError()
    if (type !== library.ErrorTypes.NETWORK_ERROR) return this.#stop(hls, 'unplayable')
    const closed = response !== undefined && [401, 403, 404, 410].includes(response.code ?? 0)
    if (!closed) return this.#stop(hls, 'network')
    if (this.#renewed) return this.#stop(hls, 'missing')
    this.#renewed = true
    const at = this.#media.currentTime
    const wasPlaying = !this.#media.paused
    const source = await this.#renew().catch(() => null)
    if (this.#hls !== hls) return
    if (!source) return this.#stop(hls, 'missing')
    await this.load(source, at)
    if (wasPlaying)
      await this.#media.play().catch(() => {
        /* the viewer presses play */
      })
  }

  #stop(hls: Hls, fault: PlaybackError): void {
    this.#rungs?.stop()
    hls.stopLoad()
    this.fault.value = fault
  }
}

/** The lowest level that is not too coarse. */
function firstLevel(levels: Level[]): number {
  const first = levels.findIndex(level => qualityOf(level).size >= FIRST_SIZE)
  return first === -1 ? levels.length - 1 : first
}

function qualityOf(level: Level): PlayerRendition {
  return { size: Math.min(level.width, level.height), fast: level.frameRate > 50 }
}

/** Whether two qualities are the same to a viewer. */
export function isSameRendition(a: PlayerRendition | null, b: PlayerRendition | null): boolean {
  return a?.size === b?.size && a?.fast === b?.fast
}
