import { effect } from '@preact/signals'
import { languageName, t } from '../i18n/i18n.ts'
import { findChosenTrack } from '../player/caption-tracks.ts'
import type { PlayerHandle } from '../player/player.tsx'
import { renditionName, PLAYBACK_SPEEDS } from '../player/player-settings.tsx'
import { requestLoad } from '../player/use-player.ts'
import type { PlayerRendition } from '../player/source.ts'
import { JsChannel, JsChannelError, type JsChannelHandler } from './jschannel.ts'
import { captureFrame } from './capture-frame.ts'
import { parsePlaybackSpeed } from './embed-options.ts'

const STATUS_UPDATE_MS = 500
const METADATA_TIMEOUT_MS = 5000
/** The id of the automatic resolution in PeerTube's embed API. */
const AUTOMATIC = -1

/** How an embedding page moves in a playlist; positions count from 1. Neither end is left. */
export type PlaylistControls = { position: number; next: () => void; previous: () => void }

/** Implements PeerTube's embed API: the embedding page controls the player and receives its events. */
export class EmbedApi {
  readonly #channel: JsChannel
  readonly #captionWaiters: (() => void)[] = []
  #player: PlayerHandle | null = null
  #playlist: PlaylistControls | null = null
  #ready = false
  #submitPassword: ((password: string) => void) | null = null
  /** Whether the video is public or unlisted: only then the embedding page may read its frames. */
  #watchableByAnyone = false
  #unsubscribers: (() => void)[] = []

  constructor(peer: Window) {
    const channel = (this.#channel = new JsChannel(peer))
    for (const [method, handler] of Object.entries(this.#methods())) channel.bind(method, handler)
    channel.open()
  }

  /** Sets the function that receives the passwords of the embedding page. */
  onPassword(submitPassword: (password: string) => void): void {
    this.#submitPassword = submitPassword
  }

  /** Connects the player, again whenever its handle changes; `watchableByAnyone`: whether the video is public or unlisted. */
  setPlayer(player: PlayerHandle, watchableByAnyone: boolean): void {
    const previous = this.#player
    this.#player = player
    this.#watchableByAnyone = watchableByAnyone
    if (player.tracks.loaded) for (const resolve of this.#captionWaiters.splice(0)) resolve()
    if (previous?.playback !== player.playback) this.#sendEventsOf(player)
  }

  /** Sets the playlist whose video is played, again whenever its position changes. */
  setPlaylist(playlist: PlaylistControls): void {
    this.#playlist = playlist
  }

  #sendEventsOf({ engine, playback }: PlayerHandle): void {
    const { media } = playback
    for (const unsubscribe of this.#unsubscribers.splice(0)) unsubscribe()
    const notifyReady = () => {
      this.#ready = true
      this.#channel.notify('ready', true)
    }
    // An embedded player loads nothing by itself, and plays when it is told to.
    if (media.readyState >= HTMLMediaElement.HAVE_METADATA || !engine.hasSource) notifyReady()
    else media.addEventListener('loadedmetadata', notifyReady, { once: true })
    const onChange = (read: () => unknown, notify: (value: unknown) => void) => {
      let first = true
      let last: unknown
      this.#unsubscribers.push(
        effect(() => {
          const value = read()
          if (!first && value !== last) notify(value)
          first = false
          last = value
        })
      )
    }
    onChange(
      () => playbackStateOf(playback),
      state => {
        this.#channel.notify('playbackStatusChange', state)
        if (state === 'playing' || state === 'paused') this.#channel.notify(state === 'playing' ? 'play' : 'pause')
      }
    )
    onChange(
      () => volumeOf(playback),
      volume => this.#channel.notify('volumeChange', volume)
    )
    onChange(
      () => JSON.stringify([engine.renditions.value, engine.chosen.value, engine.shown.value]),
      () => this.#channel.notify('resolutionUpdate', this.#resolutions())
    )
    const timer = setInterval(() => {
      if (!this.#ready) return
      this.#channel.notify('playbackStatusUpdate', {
        position: media.currentTime,
        volume: volumeOf(playback),
        duration: playback.duration.peek(),
        playbackState: playbackStateOf(playback)
      })
    }, STATUS_UPDATE_MS)
    this.#unsubscribers.push(() => clearInterval(timer))
  }

  #methods(): Record<string, JsChannelHandler> {
    const requirePlayer = () => {
      if (!this.#player) throw new JsChannelError('not_ready', 'There is no video yet')
      return this.#player
    }
    const loadPlayer = async () => {
      const player = requirePlayer()
      await loadMetadata(player.playback.media)
      return player
    }
    const requirePlaylist = () => {
      if (!this.#playlist) throw new JsChannelError('no_playlist', 'This is one video, not a playlist')
      return this.#playlist
    }
    return {
      isReady: () => this.#ready,
      isPlaying: () => this.#player !== null && playbackStateOf(this.#player.playback) === 'playing',
      play: async () =>
        await requirePlayer()
          .playback.media.play()
          .catch((error: Error) => {
            throw new JsChannelError(error.name, error.message)
          }),
      pause: () => requirePlayer().playback.media.pause(),
      seek: params => requirePlayer().engine.seek(clampedNumber(params, 0, Infinity), requirePlayer().playback.duration.peek()),
      getCurrentTime: () => requirePlayer().playback.media.currentTime,
      getVolume: () => volumeOf(requirePlayer().playback),
      setVolume: params => requirePlayer().playback.setVolumeWithoutSaving(clampedNumber(params, 0, 1)),
      getPlaybackRates: () => PLAYBACK_SPEEDS,
      getPlaybackRate: () => requirePlayer().playback.speed.peek(),
      setPlaybackRate: params => requirePlayer().playback.setSpeed(parsePlaybackSpeed(params) ?? reject()),
      getResolutions: async () => {
        if (this.#player) await loadPlayer()
        return this.#resolutions()
      },
      setResolution: async params => {
        const id = Number(params)
        const { engine } = await loadPlayer()
        engine.chooseRendition(
          id === AUTOMATIC ? null : (engine.renditions.peek().find(rendition => resolutionId(rendition) === id) ?? reject()),
          false
        )
      },
      getCaptions: async () => {
        if (!requirePlayer().tracks.loaded)
          await new Promise<void>(resolve => {
            this.#captionWaiters.push(resolve)
          })
        const { captions, caption } = requirePlayer().tracks
        // That API knows one per language.
        return captions
          .filter(track => track === findChosenTrack(captions, track.language.id))
          .map(track => ({
            id: track.language.id,
            label: languageName(track.language.id, track.language.label),
            src: new URL(track.captionPath, location.href).href,
            mode: caption?.kind !== 'forced' && track.language.id === caption?.language.id ? 'showing' : 'disabled'
          }))
      },
      setCaption: params => {
        const { captions, choose } = requirePlayer().tracks
        const none = params === null || params === undefined || params === '' || params === 'off'
        choose(none ? null : (findChosenTrack(captions, String(params))?.language.id ?? reject()), false)
      },
      setVideoPassword: params => {
        if (typeof params !== 'string' || params === '') reject()
        this.#submitPassword?.(params as string)
      },
      getImageDataUrl: () => {
        if (!this.#watchableByAnyone) throw new JsChannelError('not_open', 'Pictures of a video that is not open to everybody stay here')
        return (
          captureFrame(requirePlayer().playback.media) ?? reject('no_picture', 'There is no picture yet, or it comes from another server')
        )
      },
      playNextVideo: () => requirePlaylist().next(),
      playPreviousVideo: () => requirePlaylist().previous(),
      getCurrentPosition: () => requirePlaylist().position
    }
  }

  #resolutions(): object[] {
    if (!this.#player) return []
    const { renditions, chosen, shown } = this.#player.engine
    const [chosenRendition, shownRendition] = [chosen.peek(), shown.peek()]
    const height = chosenRendition === null && shownRendition ? shownRendition.size : 0
    return [
      ...renditions.peek().map(rendition => ({
        id: resolutionId(rendition),
        label: renditionName(rendition),
        height: rendition.size,
        active: chosenRendition !== null && resolutionId(rendition) === resolutionId(chosenRendition)
      })),
      {
        id: AUTOMATIC,
        label: height > 0 ? t('player.autoNow', { quality: renditionName(shownRendition!) }) : t('player.auto'),
        height,
        active: chosenRendition === null
      }
    ]
  }
}

/** Resolves when the metadata of the video is there, or does not come soon; asks for it where nothing is loaded before play. */
async function loadMetadata(media: HTMLMediaElement): Promise<void> {
  if (media.readyState >= HTMLMediaElement.HAVE_METADATA) return
  requestLoad(media)
  await new Promise<void>(resolve => {
    media.addEventListener('loadedmetadata', () => resolve(), { once: true })
    setTimeout(resolve, METADATA_TIMEOUT_MS)
  })
}

/** Returns an id for a rendition that does not change when others are added or removed. */
function resolutionId({ size, fast }: PlayerRendition): number {
  return fast ? size * 1000 + 60 : size
}

function playbackStateOf({ ended, started, paused }: PlayerHandle['playback']): string {
  const [isEnded, isStarted, isPaused] = [ended.value, started.value, paused.value]
  return isEnded ? 'ended' : !isStarted ? 'unstarted' : isPaused ? 'paused' : 'playing'
}

function volumeOf({ muted, volume }: PlayerHandle['playback']): number {
  const [isMuted, level] = [muted.value, volume.value]
  return isMuted ? 0 : level
}

function clampedNumber(value: unknown, min: number, max: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : reject()
}

function reject(code = 'invalid_params', message = 'This is not a value to choose'): never {
  throw new JsChannelError(code, message)
}
