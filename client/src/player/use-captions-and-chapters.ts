import { useEffect, useState } from 'preact/hooks'
import { api, type ApiResponse } from '../api.ts'
import { currentLanguage } from '../i18n/i18n.ts'
import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'
import type { PlayerChapter } from './chapters.ts'
import type { PlayerSource } from './source.ts'

/** Subtitles in one language. */
export type CaptionTrack = ApiResponse<'GET /videos/:id/captions'>['data'][number]

/** What a video has besides picture and sound. */
export type CaptionsAndChapters = {
  captions: CaptionTrack[]
  /** What is shown; null: none. */
  caption: CaptionTrack | null
  /** Shows the subtitles of a language, here and, unless it is not to be kept, in later videos; null shows none. */
  choose: (language: string | null, keep?: boolean) => void
  /** Shows subtitles in the viewer's language, else in any; or none any more. */
  toggle: () => void
  chapters: PlayerChapter[]
  /** Whether all of this has been asked for. */
  known: boolean
}

type Known = { uuid: string; captions: CaptionTrack[]; chapters: PlayerChapter[] }
const KEY = 'captions'

/** Subtitles and chapters of a video, asked for once they are `wanted`; `first` is the language to begin with instead of the viewer's. */
export function useCaptionsAndChapters({ uuid, headers }: PlayerSource, wanted: boolean, first: string | null = null): CaptionsAndChapters {
  const [known, setKnown] = useState<Known | null>(null)
  const [chosen, setChosen] = useState(() => first ?? readLocalStorage<string>(KEY))
  useEffect(() => {
    if (!wanted) return
    let current = true
    const ask = async () => {
      const options = { params: { id: uuid }, headers }
      const [captions, chapters] = await Promise.all([
        // Without them the video plays all the same.
        api('GET /videos/:id/captions', options).then(
          ({ data }) => data,
          () => []
        ),
        api('GET /videos/:id/chapters', options).then(
          answer => answer.chapters,
          () => []
        )
      ])
      if (current) setKnown({ uuid, captions, chapters })
    }
    void ask()
    return () => {
      current = false
    }
  }, [uuid, wanted])

  const { captions, chapters } = known?.uuid === uuid ? known : { captions: [], chapters: [] }
  const caption = captions.find(one => one.language.id === chosen) ?? null
  const choose = (next: string | null, keep = true) => {
    setChosen(next)
    if (keep) writeLocalStorage(KEY, next)
  }
  return {
    captions,
    caption,
    choose,
    chapters,
    known: known?.uuid === uuid,
    toggle: () => {
      const any = captions.find(one => one.language.id === currentLanguage()) ?? captions[0]
      if (any) choose(caption ? null : any.language.id)
    }
  }
}
