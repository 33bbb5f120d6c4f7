import { useRef, useState } from 'preact/hooks'
import { api } from '../api.ts'
import type { StoryboardSheet } from './storyboard-preview.tsx'
import type { PlayerSource } from './source.ts'

/** Returns the storyboard of a video, null until it is loaded, and the function that loads it, once per video. */
export function useStoryboard({ uuid, headers }: PlayerSource): [StoryboardSheet | null, () => void] {
  const [loaded, setLoaded] = useState<{ uuid: string; sheet: StoryboardSheet | null } | null>(null)
  const requestedUuid = useRef<string | null>(null)
  const load = () => {
    if (requestedUuid.current === uuid) return
    requestedUuid.current = uuid
    api('GET /videos/:id/storyboards', { params: { id: uuid }, headers }).then(
      ({ storyboards }) => setLoaded({ uuid, sheet: storyboards[0] ?? null }),
      () => {
        /* the seek bar shows only the time */
      }
    )
  }
  return [loaded?.uuid === uuid ? loaded.sheet : null, load]
}
