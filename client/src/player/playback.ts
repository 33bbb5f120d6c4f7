import { computed, signal } from '@preact/signals'
import { runFirst } from '../main-thread.ts'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'
import { waitForPresentedFrame } from './early-playback.ts'

type SavedVolume = { volume: number; muted: boolean }

/** The state of a media element as signals, and the commands that change it. */
export class Playback {
  readonly media: HTMLVideoElement
  readonly paused = signal(true)
  readonly time = signal(0)
  readonly waiting = signal(false)
  readonly ended = signal(false)
  /** Whether the current source has played at least once. */
  readonly started = signal(false)
  /** The end in seconds of the buffered range at the current time. */
  readonly buffered = signal(0)
  readonly volume = signal(1)
  readonly muted = signal(false)
  readonly speed = signal(1)
  readonly loop = signal(false)
  readonly pictureInPicture = signal(false)
  readonly #expectedDuration = signal(0)
  readonly #mediaDuration = signal(Infinity)
  readonly #growing = signal(false)
  /** Seconds: of the media element once the playlist is complete, from the metadata of the video before. */
  readonly duration = computed(() => {
    const mediaDuration = this.#mediaDuration.value
    if (!Number.isFinite(mediaDuration) || mediaDuration <= 0) return this.#expectedDuration.value
    return this.#growing.value ? Math.max(mediaDuration, this.#expectedDuration.value) : mediaDuration
  })
  readonly #destroyed = new AbortController()
  #skipVolumeSave = false

  constructor(media: HTMLVideoElement) {
    this.media = media
    const saved = readLocalStorage<SavedVolume>('volume')
    if (saved) {
      media.volume = Math.min(1, Math.max(0, saved.volume))
      media.muted = saved.muted
    }
    this.#on(
      [
        'play',
        'playing',
        'pause',
        'waiting',
        'seeking',
        'seeked',
        'ended',
        'timeupdate',
        'progress',
        'durationchange',
        'volumechange',
        'ratechange',
        'emptied',
        'canplay'
      ],
      this.#update
    )
    this.#on(['playing'], () => {
      this.started.value = true
    })
    this.#on(['volumechange'], () => {
      if (!this.#skipVolumeSave) writeLocalStorage('volume', { volume: media.volume, muted: media.muted } satisfies SavedVolume)
      this.#skipVolumeSave = false
    })
    this.#on(['enterpictureinpicture'], () => {
      this.pictureInPicture.value = true
    })
    this.#on(['leavepictureinpicture'], () => {
      this.pictureInPicture.value = false
    })
    this.#update()
  }

  /** Sets the duration from the metadata of the video, and whether its playlist still grows. */
  setExpectedDuration(duration: number, growing: boolean): void {
    this.#expectedDuration.value = duration
    this.#growing.value = growing
  }

  /** Resets the state for a new source. */
  reset(): void {
    this.started.value = false
    this.#mediaDuration.value = Infinity
  }

  /** Plays. Deferred work waits for the first frame (`runFirst`). */
  play(): void {
    const { media } = this
    // The early player may have started it before this object was created.
    if (!media.paused && media.readyState > HTMLMediaElement.HAVE_CURRENT_DATA) this.started.value = true
    const playing = media
      .play()
      .then(async () => await waitForPresentedFrame(media))
      .catch(() => {
        /* not allowed by the browser: the play button stays */
      })
    if (!this.started.peek()) runFirst(playing)
  }

  togglePlay(): void {
    if (this.media.paused || this.media.ended) this.play()
    else this.media.pause()
  }

  changeVolume(by: number): void {
    this.setVolume((this.media.muted ? 0 : this.media.volume) + by)
  }

  setVolume(volume: number): void {
    this.media.volume = Math.min(1, Math.max(0, volume))
    this.media.muted = this.media.volume === 0
  }

  /** Sets the volume for an embedding page instead of the viewer: it is not saved for later videos. */
  setVolumeWithoutSaving(volume: number): void {
    const { media } = this
    const [previousVolume, wasMuted] = [media.volume, media.muted]
    if (volume > 0) media.volume = Math.min(1, volume)
    media.muted = volume <= 0
    this.#skipVolumeSave = media.volume !== previousVolume || media.muted !== wasMuted
  }

  toggleMuted(): void {
    if (this.media.volume === 0) this.setVolume(0.5)
    else this.media.muted = !this.media.muted
  }

  setSpeed(speed: number): void {
    // Not only on the event of the browser, because a second key press before it counts from this value.
    this.speed.value = speed
    this.media.playbackRate = speed
    // Loading a source resets `playbackRate` to `defaultPlaybackRate`.
    this.media.defaultPlaybackRate = speed
  }

  setLoop(loop: boolean): void {
    this.media.loop = loop
    this.loop.value = loop
  }

  /** Enters or leaves picture-in-picture; rejects where the browser does not allow it. */
  async togglePictureInPicture(): Promise<void> {
    if (document.pictureInPictureElement === this.media) await document.exitPictureInPicture()
    else await this.media.requestPictureInPicture()
  }

  destroy(): void {
    this.#destroyed.abort()
  }

  #on(events: (keyof HTMLMediaElementEventMap | 'enterpictureinpicture' | 'leavepictureinpicture')[], listener: () => void): void {
    for (const event of events) this.media.addEventListener(event, listener, { signal: this.#destroyed.signal })
  }

  readonly #update = (): void => {
    const { media } = this
    this.paused.value = media.paused
    this.time.value = media.currentTime
    this.ended.value = media.ended
    this.waiting.value = !media.paused && !media.ended && (media.seeking || media.readyState < HTMLMediaElement.HAVE_FUTURE_DATA)
    this.volume.value = media.volume
    this.muted.value = media.muted
    this.speed.value = media.playbackRate
    this.#mediaDuration.value = media.duration
    this.buffered.value = bufferedEnd(media)
  }
}

/** Returns the end in seconds of the buffered range that contains the current time; the current time where there is none. */
function bufferedEnd({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime + 0.1 && buffered.end(index) >= currentTime) return buffered.end(index)
  }
  return currentTime
}
