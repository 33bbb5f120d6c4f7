import { signal } from '@preact/signals'
import type Hls from 'hls.js'
import type { BufferCreatedTrackSet, ErrorData, Level, MediaAttachingData } from 'hls.js'
import { yieldToMain, waitForNextTask } from '../main-thread.ts'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'
import { createPrefetchLoader } from './prefetch-loader.ts'
import { PlayerAudioTracks } from './audio-tracks.ts'
import type { EarlyPlayer } from '../early-playback.ts'
import { adoptEarlyPlayer } from './early-playback.ts'
import { BufferAhead } from './buffer-ahead.ts'
import { switchLevel } from './levels.ts'
import { PlayableLevels } from './playable-levels.ts'
import type { PlaybackError, PlayerRendition, PlayerSource } from './source.ts'

type HlsModule = typeof import('./hls.ts')

/** Loading statistics: `bitrate` of the current rendition and estimated `bandwidth` in bits per second, and the host of the files. */
export type LoadingStats = { codecs: string | null; bitrate: number | null; bandwidth: number | null; host: string }

const HLS_TYPE = 'application/vnd.apple.mpegurl'
const BACK_BUFFER_SECONDS = 60
/** Seconds before the end of a growing playlist within which a seek waits for more segments. */
const EDGE_SECONDS = 1
const MAX_MEDIA_RECOVERIES = 2
/**
 * The resolution to start with while the bandwidth is unknown (short side in pixels): the page contains the playlist of this rendition
 * (server/pages/early-playback.ts).
 */
const INITIAL_RESOLUTION = 240

/** Loads a video into a media element: with hls.js where the browser has Media Source Extensions, else with native HLS or as one file. */
export class PlayerEngine {
  /** The best rendition first; empty where the browser selects renditions itself. */
  readonly renditions = signal<PlayerRendition[]>([])
  /** The rendition that the viewer chose; null is automatic. */
  readonly chosen = signal<PlayerRendition | null>(null)
  /** The rendition on the screen. */
  readonly shown = signal<PlayerRendition | null>(null)
  readonly audioTracks = new PlayerAudioTracks()
  /** Whether segments are still added to the playlist. */
  readonly growing = signal(false)
  /** Whether renditions are being transcoded that cannot be chosen yet. */
  readonly renditionsPending = signal(false)
  /** Seconds that can be played so far; Infinity once the whole video can. */
  readonly playableUntil = signal(Infinity)
  /** The target in seconds of a seek that waits for its segment; null without one. */
  readonly awaitedTime = signal<number | null>(null)
  readonly error = signal<PlaybackError | null>(null)

  readonly #media: HTMLVideoElement
  /** Loads the source again when its files have moved or its token has expired. */
  readonly #reloadSource: () => Promise<PlayerSource | null>
  #source: PlayerSource | null = null
  #hlsModule: HlsModule | null = null
  #earlyPlayer: EarlyPlayer | null = null
  #hls: Hls | null = null
  #playableLevels: PlayableLevels | null = null
  #bufferAhead: BufferAhead | null = null
  #mediaRecoveries = 0
  #sourceReloaded = false
  #resumeAfterWait = false

  constructor(media: HTMLVideoElement, reloadSource: () => Promise<PlayerSource | null>) {
    this.#media = media
    this.#reloadSource = reloadSource
    addEventListener('online', this.#onOnline)
  }

  /** Whether a source is loaded, or being loaded. */
  get hasSource(): boolean {
    return this.#source !== null
  }

  /** Loads a source and starts at `at` seconds; resolves when there is something to play, or an error. */
  async load(source: PlayerSource, at: number): Promise<void> {
    this.#source = source
    this.#reset()
    const earlyPlayer = (this.#earlyPlayer = adoptEarlyPlayer(this.#media, at === 0 && !source.plain ? source.url : null))
    if (source.plain) return this.#loadFile(source.url, at)
    if (!('MediaSource' in window || 'ManagedMediaSource' in window)) return this.#loadNatively(source, at)
    const loaded = this.#loadWithHls(source, at, earlyPlayer)
    if (!earlyPlayer) await loaded
  }

  /** Switches to a rendition from the next segment on; null selects by bandwidth. Saves the choice for later videos if `save` is true. */
  chooseRendition(rendition: PlayerRendition | null, save = true): void {
    this.chosen.value = rendition
    if (save) writeLocalStorage('quality', rendition?.size ?? null)
    if (!this.#hls) return
    switchLevel(this.#hls, rendition ? this.#levelIndexOf(this.#hls, rendition) : -1)
  }

  /** Seeks to a time in seconds, at most `end`; waits where a growing video does not have it yet. */
  seek(seconds: number, end: number): void {
    const target = Math.min(Math.max(0, seconds), end)
    if (target > this.playableUntil.value - EDGE_SECONDS) {
      this.#resumeAfterWait ||= !this.#media.paused
      this.#media.pause()
      this.awaitedTime.value = target
      return
    }
    this.cancelAwaitedSeek()
    this.#playableLevels?.adjust(target)
    this.#media.currentTime = target
  }

  /** Returns the loading statistics of the current rendition. */
  loadingStats(): LoadingStats {
    const level = this.#hls?.levels[this.#hls.currentLevel]
    const estimate = this.#hls?.bandwidthEstimate ?? NaN
    return {
      codecs: level?.codecs ?? null,
      bitrate: level?.averageBitrate || null,
      bandwidth: Number.isFinite(estimate) ? estimate : null,
      host: this.#source ? new URL(this.#source.url, location.href).host : ''
    }
  }

  /** Cancels a seek that waits for its segment. */
  cancelAwaitedSeek(): void {
    this.awaitedTime.value = null
    this.#resumeAfterWait = false
  }

  /** Loads the video again after an error and plays from the same time. */
  async retry(): Promise<void> {
    const at = this.#media.currentTime
    const source = (await this.#reloadSource().catch(() => null)) ?? this.#source
    if (source) await this.load(source, at)
    await this.#media.play().catch(() => {
      /* the viewer presses play */
    })
  }

  destroy(): void {
    removeEventListener('online', this.#onOnline)
    this.#source = null
    this.#reset()
  }

  readonly #onOnline = (): void => {
    if (this.error.peek() === 'network') void this.retry()
  }

  #reset(): void {
    this.#earlyPlayer?.stop()
    this.#earlyPlayer = null
    this.#playableLevels?.stop()
    this.#playableLevels = null
    this.#bufferAhead?.stop()
    this.#bufferAhead = null
    this.#hls?.destroy()
    this.#hls = null
    this.#mediaRecoveries = 0
    this.error.value = null
    this.renditions.value = []
    this.shown.value = null
    this.audioTracks.clear()
    this.growing.value = false
    this.renditionsPending.value = false
    this.playableUntil.value = Infinity
    this.cancelAwaitedSeek()
  }

  async #loadWithHls(source: PlayerSource, at: number, earlyPlayer: EarlyPlayer | null): Promise<void> {
    // The first segments have priority over loading hls.js.
    const attachment = (await earlyPlayer?.attachment) ?? null
    if (attachment) await yieldToMain()
    try {
      this.#hlsModule ??= await import('./hls.ts')
    } catch {
      this.error.value = 'network'
      return
    }
    await waitForNextTask()
    if (this.#source !== source) return earlyPlayer?.stop()
    if (!this.#hlsModule.default.isSupported()) return this.#loadNatively(source, at)
    this.#earlyPlayer = null
    this.#attach(this.#hlsModule, source, at, attachment)
  }

  #loadNatively(source: PlayerSource, at: number): void {
    const url = this.#media.canPlayType(HLS_TYPE) === '' ? source.file : source.url
    if (url === null) this.error.value = 'unplayable'
    else this.#loadFile(url, at)
  }

  #loadFile(url: string, at: number): void {
    const { paused } = this.#media
    this.#media.preload = paused ? 'metadata' : 'auto'
    if (paused) this.#media.addEventListener('play', () => (this.#media.preload = 'auto'), { once: true })
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
        this.error.value = this.#media.error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'unplayable'
      },
      { once: true }
    )
  }

  #attach(hlsModule: HlsModule, source: PlayerSource, at: number, attachment: MediaAttachingData | null): void {
    const { default: Hls, Events } = hlsModule
    const bandwidth = readLocalStorage<number>('bandwidth')
    const bufferAhead = (this.#bufferAhead = new BufferAhead(this.#media))
    const hls = (this.#hls = new Hls({
      loader: createPrefetchLoader(Hls.DefaultConfig.loader),
      autoStartLoad: false,
      testBandwidth: false,
      subtitleStreamController: undefined,
      subtitleTrackController: undefined,
      timelineController: undefined,
      backBufferLength: BACK_BUFFER_SECONDS,
      capLevelToPlayerSize: true,
      enableWorker: false,
      abrEwmaDefaultEstimate: bandwidth ?? Hls.DefaultConfig.abrEwmaDefaultEstimate
    }))
    const playableLevels = (this.#playableLevels = new PlayableLevels(
      hlsModule,
      hls,
      source.url,
      source.unfinished,
      () => this.#media.currentTime,
      pending => {
        this.renditionsPending.value = pending
      }
    ))
    bufferAhead.attach(hlsModule, hls)
    this.audioTracks.attach(hlsModule, hls)
    hls.on(Events.MANIFEST_PARSED, () => {
      const start = async () => {
        await playableLevels.start(at)
        if (this.#hls !== hls) return
        this.#updateRenditions(hls)
        const preferred = this.renditions.peek().find(({ size }) => size === readLocalStorage<number>('quality'))
        if (preferred) {
          this.chosen.value = preferred
          hls.loadLevel = this.#levelIndexOf(hls, preferred)
        } else if (bandwidth === null) hls.startLevel = initialLevel(hls.levels)
        hls.startLoad(at)
      }
      void start()
    })
    hls.on(Events.LEVELS_UPDATED, () => {
      this.#updateRenditions(hls)
      // The chosen rendition may have been removed meanwhile; it is selected again as soon as it is back.
      const chosen = this.chosen.peek()
      if (chosen && hls.loadLevel !== this.#levelIndexOf(hls, chosen)) hls.loadLevel = this.#levelIndexOf(hls, chosen)
    })
    hls.on(Events.LEVEL_SWITCHED, (_, { level }) => {
      const current = hls.levels[level]
      this.shown.value = current ? renditionOf(current) : null
    })
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => {
      playableLevels.updatePlaylistEnd(details.url, { edge: details.edge, ended: !details.live })
      this.growing.value = details.live
      this.playableUntil.value = playableLevels.playableUntil()
      this.#resumeAwaitedSeek()
    })
    hls.on(Events.FRAG_BUFFERED, () => {
      this.#mediaRecoveries = 0
      this.#sourceReloaded = false
      if (hls.bandwidthEstimate > 0) writeLocalStorage('bandwidth', Math.round(hls.bandwidthEstimate))
    })
    hls.on(Events.ERROR, (_, data) => {
      if (data.fatal) void this.#handleFatalError(hlsModule, hls, data)
    })
    // Play may have been pressed before anything was loaded; attaching a new source may pause the element again.
    const playRequested = !this.#media.paused
    hls.once(Events.MEDIA_ATTACHED, () => {
      if (playRequested && this.#media.paused)
        this.#media.play().catch(() => {
          /* the viewer presses play */
        })
    })
    // hls.js 1.7 announces the buffers that it takes over before their media, and then discards them: it would load audio by what is
    // buffered of the video.
    hls.once(Events.MEDIA_ATTACHED, (_, { mediaSource }) => {
      if (attachment?.tracks && mediaSource === attachment.mediaSource)
        hls.trigger(Events.BUFFER_CREATED, { tracks: attachment.tracks as BufferCreatedTrackSet })
    })
    hls.attachMedia(attachment ?? this.#media)
    hls.loadSource(source.url)
  }

  /** Returns the level index of a rendition; -1, which means automatic, while hls.js has no such level. */
  #levelIndexOf(hls: Hls, rendition: PlayerRendition): number {
    return hls.levels.findIndex(level => isSameRendition(renditionOf(level), rendition))
  }

  #updateRenditions(hls: Hls): void {
    const sorted = hls.levels.map(renditionOf).sort((a, b) => b.size - a.size || Number(b.fast) - Number(a.fast))
    this.renditions.value = sorted.filter((rendition, index) => index === 0 || !isSameRendition(rendition, sorted[index - 1]!))
  }

  #resumeAwaitedSeek(): void {
    const target = this.awaitedTime.peek()
    if (target === null || target > this.playableUntil.peek() - EDGE_SECONDS) return
    const resume = this.#resumeAfterWait
    this.cancelAwaitedSeek()
    this.#media.currentTime = target
    if (resume)
      this.#media.play().catch(() => {
        /* the viewer presses play */
      })
  }

  async #handleFatalError(hlsModule: HlsModule, hls: Hls, { type, response }: ErrorData): Promise<void> {
    if (type === hlsModule.ErrorTypes.MEDIA_ERROR && this.#mediaRecoveries++ < MAX_MEDIA_RECOVERIES) return hls.recoverMediaError()
    if (type !== hlsModule.ErrorTypes.NETWORK_ERROR) return this.#stopWithError(hls, 'unplayable')
    const inaccessible = response !== undefined && [401, 403, 404, 410].includes(response.code ?? 0)
    if (!inaccessible) return this.#stopWithError(hls, 'network')
    if (this.#sourceReloaded) return this.#stopWithError(hls, 'missing')
    this.#sourceReloaded = true
    const at = this.#media.currentTime
    const wasPlaying = !this.#media.paused
    const source = await this.#reloadSource().catch(() => null)
    if (this.#hls !== hls) return
    if (!source) return this.#stopWithError(hls, 'missing')
    await this.load(source, at)
    if (wasPlaying)
      await this.#media.play().catch(() => {
        /* the viewer presses play */
      })
  }

  #stopWithError(hls: Hls, error: PlaybackError): void {
    this.#playableLevels?.stop()
    hls.stopLoad()
    this.error.value = error
  }
}

/** Returns the index of the lowest level that has at least INITIAL_RESOLUTION, else of the highest one. */
function initialLevel(levels: Level[]): number {
  const index = levels.findIndex(level => renditionOf(level).size >= INITIAL_RESOLUTION)
  return index === -1 ? levels.length - 1 : index
}

function renditionOf(level: Level): PlayerRendition {
  return { size: Math.min(level.width, level.height), fast: level.frameRate > 50 }
}

/** Whether two renditions look the same to a viewer. */
export function isSameRendition(a: PlayerRendition | null, b: PlayerRendition | null): boolean {
  return a?.size === b?.size && a?.fast === b?.fast
}
