import { signal } from '@preact/signals'
import type Hls from 'hls.js'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'

type Library = typeof import('./hls.ts')
/** A sound track: its language (empty where unknown), and its name where that says more. */
export type PlayerAudioTrack = { id: number; language: string; name: string }

const KEY = 'audio'

/** The sound tracks of a video, and which one is heard. A chosen language is kept for later videos. */
export class PlayerAudioTracks {
  readonly list = signal<PlayerAudioTrack[]>([])
  /** The id of the one that is heard. */
  readonly heard = signal<number | null>(null)
  #hls: Hls | null = null

  follow({ Events }: Library, hls: Hls): void {
    this.#hls = hls
    hls.on(Events.AUDIO_TRACKS_UPDATED, (_, { audioTracks }) => {
      this.list.value = audioTracks.map(({ id, lang = '', name }) => ({ id, language: lang, name: name === ownName(lang) ? '' : name }))
      const wanted = this.list.peek().find(({ language }) => language !== '' && language === readLocalStorage<string>(KEY))
      if (wanted && hls.audioTrack !== wanted.id) hls.audioTrack = wanted.id
      this.heard.value = hls.audioTrack
    })
    hls.on(Events.AUDIO_TRACK_SWITCHING, (_, { id }) => {
      this.heard.value = id
    })
  }

  choose({ id, language }: PlayerAudioTrack): void {
    writeLocalStorage(KEY, language || null)
    this.heard.value = id
    if (this.#hls) this.#hls.audioTrack = id
  }

  clear(): void {
    this.#hls = null
    this.list.value = []
    this.heard.value = null
  }
}

/** What a language calls itself: tracks without a name of their own are named so. */
function ownName(language: string): string | undefined {
  return language ? new Intl.DisplayNames([language], { type: 'language' }).of(language) : undefined
}
