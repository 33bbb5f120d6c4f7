import { effect } from '@preact/signals'
import { languageName, t } from '../i18n/i18n.ts'
import type { PlayerHandle } from '../player/player.tsx'
import { renditionName, PLAYBACK_SPEEDS } from '../player/player-settings.tsx'
import type { PlayerRendition } from '../player/source.ts'
import { JsChannel, JsChannelError, type JsChannelHandler } from './jschannel.ts'
import { captureFrame } from './capture-frame.ts'
import { parsePlaybackSpeed } from './embed-options.ts'

const TELL_EVERY = 500
const AUTOMATIC = -1

/** Lets the page around an embedded player command it and hear of it, as PeerTube's embed API has it. */
export class EmbedApi {
  readonly #channel: JsChannel
  readonly #captionWaiters: (() => void)[] = []
  #parts: PlayerHandle | null = null
  #ready = false
  #unlock: ((password: string) => void) | null = null
  /** Whether everybody may watch the video: only then its pictures are handed out. */
  #open = false
  #leave: (() => void)[] = []

  constructor(peer: Window) {
    const channel = (this.#channel = new JsChannel(peer))
    for (const [method, handler] of Object.entries(this.#methods())) channel.bind(method, handler)
    channel.open()
  }

  /** Says how a password is tried. */
  onPassword(unlock: (password: string) => void): void {
    this.#unlock = unlock
  }

  /** Takes the player whose parts these are, or hears that they changed. */
  take(parts: PlayerHandle, open: boolean): void {
    const known = this.#parts
    this.#parts = parts
    this.#open = open
    if (parts.tracks.known) for (const go of this.#captionWaiters.splice(0)) go()
    if (known?.playback !== parts.playback) this.#follow(parts)
  }

  #follow({ engine, playback }: PlayerHandle): void {
    const { media } = playback
    for (const leave of this.#leave.splice(0)) leave()
    const begin = () => {
      this.#ready = true
      this.#channel.notify('ready', true)
    }
    if (media.readyState >= HTMLMediaElement.HAVE_METADATA) begin()
    else media.addEventListener('loadedmetadata', begin, { once: true })
    const changes = (read: () => unknown, tell: (value: unknown) => void) => {
      let first = true
      let last: unknown
      this.#leave.push(
        effect(() => {
          const value = read()
          if (!first && value !== last) tell(value)
          first = false
          last = value
        })
      )
    }
    changes(
      () => stateOf(playback),
      state => {
        this.#channel.notify('playbackStatusChange', state)
        if (state === 'playing' || state === 'paused') this.#channel.notify(state === 'playing' ? 'play' : 'pause')
      }
    )
    changes(
      () => volumeOf(playback),
      volume => this.#channel.notify('volumeChange', volume)
    )
    changes(
      () => JSON.stringify([engine.qualities.value, engine.chosen.value, engine.shown.value]),
      () => this.#channel.notify('resolutionUpdate', this.#resolutions())
    )
    const timer = setInterval(() => {
      if (!this.#ready) return
      this.#channel.notify('playbackStatusUpdate', {
        position: media.currentTime,
        volume: volumeOf(playback),
        duration: playback.duration.peek(),
        playbackState: stateOf(playback)
      })
    }, TELL_EVERY)
    this.#leave.push(() => clearInterval(timer))
  }

  #methods(): Record<string, JsChannelHandler> {
    const player = () => {
      if (!this.#parts) throw new JsChannelError('not_ready', 'There is no video yet')
      return this.#parts
    }
    const noPlaylist = () => {
      throw new JsChannelError('no_playlist', 'This is one video, not a playlist')
    }
    return {
      isReady: () => this.#ready,
      isPlaying: () => this.#parts !== null && stateOf(this.#parts.playback) === 'playing',
      play: async () =>
        await player()
          .playback.media.play()
          .catch((error: Error) => {
            throw new JsChannelError(error.name, error.message)
          }),
      pause: () => player().playback.media.pause(),
      seek: params => player().engine.seek(numberIn(params, 0, Infinity), player().playback.duration.peek()),
      getCurrentTime: () => player().playback.media.currentTime,
      getVolume: () => volumeOf(player().playback),
      setVolume: params => player().playback.imposeVolume(numberIn(params, 0, 1)),
      getPlaybackRates: () => PLAYBACK_SPEEDS,
      getPlaybackRate: () => player().playback.speed.peek(),
      setPlaybackRate: params => player().playback.setSpeed(parsePlaybackSpeed(params) ?? refuse()),
      getResolutions: () => this.#resolutions(),
      setResolution: params => {
        const id = Number(params)
        const { engine } = player()
        engine.choose(id === AUTOMATIC ? null : (engine.qualities.peek().find(one => idOf(one) === id) ?? refuse()), false)
      },
      getCaptions: async () => {
        if (!player().tracks.known)
          await new Promise<void>(resolve => {
            this.#captionWaiters.push(resolve)
          })
        const { captions, caption } = player().tracks
        return captions.map(one => ({
          id: one.language.id,
          label: languageName(one.language.id),
          src: new URL(one.captionPath, location.href).href,
          mode: one === caption ? 'showing' : 'disabled'
        }))
      },
      setCaption: params => {
        const { captions, choose } = player().tracks
        const none = params === null || params === undefined || params === '' || params === 'off'
        choose(none ? null : (captions.find(one => one.language.id === params)?.language.id ?? refuse()), false)
      },
      setVideoPassword: params => {
        if (typeof params !== 'string' || params === '') refuse()
        this.#unlock?.(params as string)
      },
      getImageDataUrl: () => {
        if (!this.#open) throw new JsChannelError('not_open', 'Pictures of a video that is not open to everybody stay here')
        return captureFrame(player().playback.media) ?? refuse('no_picture', 'There is no picture yet, or it comes from another server')
      },
      playNextVideo: noPlaylist,
      playPreviousVideo: noPlaylist,
      getCurrentPosition: noPlaylist
    }
  }

  #resolutions(): object[] {
    if (!this.#parts) return []
    const { qualities, chosen, shown } = this.#parts.engine
    const [choice, now] = [chosen.peek(), shown.peek()]
    const height = choice === null && now ? now.size : 0
    return [
      ...qualities.peek().map(one => ({
        id: idOf(one),
        label: renditionName(one),
        height: one.size,
        active: choice !== null && idOf(one) === idOf(choice)
      })),
      {
        id: AUTOMATIC,
        label: height > 0 ? t('player.autoNow', { quality: renditionName(now!) }) : t('player.auto'),
        height,
        active: choice === null
      }
    ]
  }
}

/** A number for a quality that stays the same while others come and go. */
function idOf({ size, fast }: PlayerRendition): number {
  return fast ? size * 1000 + 60 : size
}

function stateOf({ ended, begun, paused }: PlayerHandle['playback']): string {
  const [over, started, resting] = [ended.value, begun.value, paused.value]
  return over ? 'ended' : !started ? 'unstarted' : resting ? 'paused' : 'playing'
}

function volumeOf({ muted, volume }: PlayerHandle['playback']): number {
  const [silent, level] = [muted.value, volume.value]
  return silent ? 0 : level
}

function numberIn(value: unknown, least: number, most: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : refuse()
}

function refuse(code = 'invalid_params', message = 'This is not a value to choose'): never {
  throw new JsChannelError(code, message)
}
