import { computed, signal } from '@preact/signals'
import { runFirst } from '../main-thread.ts'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'
import { waitForPresentedFrame } from './early-playback.ts'

type Loudness = { volume: number; muted: boolean }

/** What a media element does at the moment, as signals. */
export class Playback {
  readonly media: HTMLVideoElement
  readonly paused = signal(true)
  readonly time = signal(0)
  readonly waiting = signal(false)
  readonly ended = signal(false)
  /** Whether playing has begun once. */
  readonly begun = signal(false)
  readonly buffered = signal(0)
  readonly volume = signal(1)
  readonly muted = signal(false)
  readonly speed = signal(1)
  readonly loop = signal(false)
  readonly floating = signal(false)
  readonly #given = signal(0)
  readonly #measured = signal(Infinity)
  readonly #growing = signal(false)
  /** Seconds: measured once the whole video is there, by its metadata before. */
  readonly duration = computed(() => {
    const measured = this.#measured.value
    if (!Number.isFinite(measured) || measured <= 0) return this.#given.value
    return this.#growing.value ? Math.max(measured, this.#given.value) : measured
  })
  readonly #stop = new AbortController()
  #imposed = false

  constructor(media: HTMLVideoElement) {
    this.media = media
    const kept = readLocalStorage<Loudness>('volume')
    if (kept) {
      media.volume = Math.min(1, Math.max(0, kept.volume))
      media.muted = kept.muted
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
      this.#read
    )
    this.#on(['playing'], () => {
      this.begun.value = true
    })
    this.#on(['volumechange'], () => {
      if (!this.#imposed) writeLocalStorage('volume', { volume: media.volume, muted: media.muted } satisfies Loudness)
      this.#imposed = false
    })
    this.#on(['enterpictureinpicture'], () => {
      this.floating.value = true
    })
    this.#on(['leavepictureinpicture'], () => {
      this.floating.value = false
    })
    this.#read()
  }

  /** Says what the metadata promise, and whether the video still grows. */
  expect(duration: number, growing: boolean): void {
    this.#given.value = duration
    this.#growing.value = growing
  }

  /** Starts over when a new source is loaded. */
  renew(): void {
    this.begun.value = false
    this.#measured.value = Infinity
  }

  /** Plays; also where it has just begun by itself, nothing else. Until there is a picture what can wait waits. */
  play(): void {
    const { media } = this
    // It may play since before there was a player.
    if (!media.paused && media.readyState > HTMLMediaElement.HAVE_CURRENT_DATA) this.begun.value = true
    const playing = media
      .play()
      .then(async () => await waitForPresentedFrame(media))
      .catch(() => {
        /* refused by the browser: the button stays */
      })
    if (!this.begun.peek()) runFirst(playing)
  }

  toggle(): void {
    if (this.media.paused || this.media.ended) this.play()
    else this.media.pause()
  }

  louder(by: number): void {
    this.setVolume((this.media.muted ? 0 : this.media.volume) + by)
  }

  setVolume(volume: number): void {
    this.media.volume = Math.min(1, Math.max(0, volume))
    this.media.muted = this.media.volume === 0
  }

  /** Sets the volume by the wish of an embedding page, not of the viewer: it is not kept for the next video. */
  imposeVolume(volume: number): void {
    const { media } = this
    const [before, wasMuted] = [media.volume, media.muted]
    if (volume > 0) media.volume = Math.min(1, volume)
    media.muted = volume <= 0
    this.#imposed = media.volume !== before || media.muted !== wasMuted
  }

  toggleMuted(): void {
    if (this.media.volume === 0) this.setVolume(0.5)
    else this.media.muted = !this.media.muted
  }

  setSpeed(speed: number): void {
    // At once, not when the browser tells: a second key press counts from here.
    this.speed.value = speed
    this.media.playbackRate = speed
    // Loading a source sets the speed back to the default one.
    this.media.defaultPlaybackRate = speed
  }

  setLoop(loop: boolean): void {
    this.media.loop = loop
    this.loop.value = loop
  }

  /** Lets the picture float over other windows, or brings it back. */
  async toggleFloating(): Promise<void> {
    if (document.pictureInPictureElement === this.media) await document.exitPictureInPicture()
    else await this.media.requestPictureInPicture()
  }

  destroy(): void {
    this.#stop.abort()
  }

  #on(events: (keyof HTMLMediaElementEventMap | 'enterpictureinpicture' | 'leavepictureinpicture')[], act: () => void): void {
    for (const event of events) this.media.addEventListener(event, act, { signal: this.#stop.signal })
  }

  readonly #read = (): void => {
    const { media } = this
    this.paused.value = media.paused
    this.time.value = media.currentTime
    this.ended.value = media.ended
    this.waiting.value = !media.paused && !media.ended && (media.seeking || media.readyState < HTMLMediaElement.HAVE_FUTURE_DATA)
    this.volume.value = media.volume
    this.muted.value = media.muted
    this.speed.value = media.playbackRate
    this.#measured.value = media.duration
    this.buffered.value = bufferedEnd(media)
  }
}

/** Where the buffered part that holds the current place ends. */
function bufferedEnd({ buffered, currentTime }: HTMLVideoElement): number {
  for (let index = 0; index < buffered.length; index++) {
    if (buffered.start(index) <= currentTime + 0.1 && buffered.end(index) >= currentTime) return buffered.end(index)
  }
  return currentTime
}
