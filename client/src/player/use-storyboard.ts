import { useRef, useState } from 'preact/hooks'
import { api } from '../api.ts'
import type { StoryboardSheet } from './storyboard-preview.tsx'
import type { PlayerSource } from './source.ts'

/** The sheet of small frames, asked for when somebody first looks for a place. */
export function useStoryboard({ uuid, headers }: PlayerSource): [StoryboardSheet | null, () => void] {
  const [known, setKnown] = useState<{ uuid: string; sheet: StoryboardSheet | null } | null>(null)
  const asked = useRef<string | null>(null)
  const look = () => {
    if (asked.current === uuid) return
    asked.current = uuid
    api('GET /videos/:id/storyboards', { params: { id: uuid }, headers }).then(
      ({ storyboards }) => setKnown({ uuid, sheet: storyboards[0] ?? null }),
      () => {
        /* the time alone does, too */
      }
    )
  }
  return [known?.uuid === uuid ? known.sheet : null, look]
}
