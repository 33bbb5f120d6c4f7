import { signal } from '@preact/signals'
import type Hls from 'hls.js'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'

type HlsModule = typeof import('./hls.ts')
/** An audio track: its language (empty where unknown), and its name where it is not just the name of the language. */
export type PlayerAudioTrack = { id: number; language: string; name: string }

const STORAGE_KEY = 'audio'

/** The audio tracks of a video and the selected one. The language of a track that the viewer selects is saved for later videos. */
export class PlayerAudioTracks {
  readonly list = signal<PlayerAudioTrack[]>([])
  /** The id of the track that plays. */
  readonly selectedId = signal<number | null>(null)
  #hls: Hls | null = null

  attach({ Events }: HlsModule, hls: Hls): void {
    this.#hls = hls
    hls.on(Events.AUDIO_TRACKS_UPDATED, (_, { audioTracks }) => {
      this.list.value = audioTracks.map(({ id, lang = '', name }) => ({
        id,
        language: lang,
        name: name === nativeLanguageName(lang) ? '' : name
      }))
      const preferred = this.list.peek().find(({ language }) => language !== '' && language === readLocalStorage<string>(STORAGE_KEY))
      if (preferred && hls.audioTrack !== preferred.id) hls.audioTrack = preferred.id
      this.selectedId.value = hls.audioTrack
    })
    hls.on(Events.AUDIO_TRACK_SWITCHING, (_, { id }) => {
      this.selectedId.value = id
    })
  }

  /** The language of the track that plays; undefined or '' where unknown. */
  selectedLanguage(): string | undefined {
    return this.list.value.find(({ id }) => id === this.selectedId.value)?.language
  }

  select({ id, language }: PlayerAudioTrack): void {
    writeLocalStorage(STORAGE_KEY, language || null)
    this.selectedId.value = id
    if (this.#hls) this.#hls.audioTrack = id
  }

  clear(): void {
    this.#hls = null
    this.list.value = []
    this.selectedId.value = null
  }
}

/** Returns the name of a language in that language: tracks without a name of their own have it as name. */
function nativeLanguageName(language: string): string | undefined {
  return language ? new Intl.DisplayNames([language], { type: 'language' }).of(language) : undefined
}
