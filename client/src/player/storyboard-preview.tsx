import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ApiResponse } from '../api.ts'

/** A sheet of small frames of a video. */
export type StoryboardSheet = ApiResponse<'GET /videos/:id/storyboards'>['storyboards'][number]

const LARGEST = 192

/** The small frame of a sheet that belongs to a time. */
export function StoryboardPreview({ sheet, time }: { sheet: StoryboardSheet; time: number }): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const { spriteWidth, spriteHeight, totalWidth, totalHeight, spriteDuration, storyboardPath } = sheet
    const columns = Math.max(1, Math.floor(totalWidth / spriteWidth))
    const count = columns * Math.max(1, Math.floor(totalHeight / spriteHeight))
    const index = Math.min(count - 1, Math.max(0, Math.floor(time / spriteDuration)))
    const scale = Math.min(LARGEST / spriteWidth, LARGEST / spriteHeight)
    Object.assign(box.current!.style, {
      width: `${spriteWidth * scale}px`,
      height: `${spriteHeight * scale}px`,
      backgroundImage: `url("${storyboardPath}")`,
      backgroundSize: `${totalWidth * scale}px ${totalHeight * scale}px`,
      backgroundPosition: `-${(index % columns) * spriteWidth * scale}px -${Math.floor(index / columns) * spriteHeight * scale}px`
    })
  }, [sheet, time])
  return <div class="seek-frame" ref={box} />
}
