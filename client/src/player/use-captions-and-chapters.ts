import { useEffect, useState } from 'preact/hooks'
import { api } from '../api.ts'
import { currentLanguage } from '../i18n/i18n.ts'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'
import { captionChoice, findChosenTrack, findForcedTrack, type CaptionTrack } from './caption-tracks.ts'
import type { PlayerChapter } from './chapters.ts'
import type { PlayerSource } from './source.ts'

/** The captions and chapters of a video, and the shown captions. */
export type CaptionsAndChapters = {
  captions: CaptionTrack[]
  /** The captions that are chosen; null without any. */
  caption: CaptionTrack | null
  /** The captions that are shown: without chosen ones, the forced ones of the language of the audio. */
  shown: CaptionTrack | null
  /** Shows captions (`captionChoice`, or a language), null none; saves the choice for later videos unless `save` is false. */
  choose: (choice: string | null, save?: boolean) => void
  /** Shows captions in the language of the pages, else in the first one, or hides them. */
  toggle: () => void
  chapters: PlayerChapter[]
  /** Whether the requests for captions and chapters have ended. */
  loaded: boolean
}

type Loaded = { uuid: string; captions: CaptionTrack[]; chapters: PlayerChapter[] }
const STORAGE_KEY = 'captions'

/**
 * Loads the captions and chapters of a video once they are `needed`. `initialLanguage` overrides the saved choice of captions, where the
 * video has them, and is not saved.
 */
export function useCaptionsAndChapters(
  { uuid, headers }: PlayerSource,
  needed: boolean,
  audioLanguage: string | null,
  initialLanguage?: string
): CaptionsAndChapters {
  const [loaded, setLoaded] = useState<Loaded | null>(null)
  const [chosen, setChosen] = useState<(string | null | undefined)[]>(() => [initialLanguage, readLocalStorage<string>(STORAGE_KEY)])
  useEffect(() => {
    if (!needed) return
    let current = true
    const load = async () => {
      const options = { params: { id: uuid }, headers }
      const [captions, chapters] = await Promise.all([
        // The video can be played without them.
        api('GET /videos/:id/caption-tracks', options).then(
          ({ data }) => data,
          () => []
        ),
        api('GET /videos/:id/chapters', options).then(
          response => response.chapters,
          () => []
        )
      ])
      if (current) setLoaded({ uuid, captions, chapters })
    }
    void load()
    return () => {
      current = false
    }
  }, [uuid, needed])

  const { captions, chapters } = loaded?.uuid === uuid ? loaded : { captions: [], chapters: [] }
  const caption = chosen.map(choice => findChosenTrack(captions, choice)).find(Boolean) ?? null
  const choose = (next: string | null, save = true) => {
    setChosen([next])
    if (save) writeLocalStorage(STORAGE_KEY, next)
  }
  return {
    captions,
    caption,
    shown: caption ?? findForcedTrack(captions, audioLanguage) ?? null,
    choose,
    chapters,
    loaded: loaded?.uuid === uuid,
    toggle: () => {
      const preferred = findChosenTrack(captions, currentLanguage()) ?? captions.find(({ kind }) => kind !== 'forced') ?? captions[0]
      if (preferred) choose(caption ? null : captionChoice(preferred))
    }
  }
}
