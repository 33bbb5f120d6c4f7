import type { JSX } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { ApiResponse } from '../api.ts'

/** A storyboard: one image with small frames of a video in a grid. */
export type StoryboardSheet = ApiResponse<'GET /videos/:id/storyboards'>['storyboards'][number]

const MAX_SIZE_PX = 192

/** The frame of a storyboard at a time in seconds. */
export function StoryboardPreview({ sheet, time }: { sheet: StoryboardSheet; time: number }): JSX.Element {
  const frame = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const { spriteWidth, spriteHeight, totalWidth, totalHeight, spriteDuration, storyboardPath } = sheet
    const columns = Math.max(1, Math.floor(totalWidth / spriteWidth))
    const count = columns * Math.max(1, Math.floor(totalHeight / spriteHeight))
    const index = Math.min(count - 1, Math.max(0, Math.floor(time / spriteDuration)))
    const scale = Math.min(MAX_SIZE_PX / spriteWidth, MAX_SIZE_PX / spriteHeight)
    Object.assign(frame.current!.style, {
      width: `${spriteWidth * scale}px`,
      height: `${spriteHeight * scale}px`,
      backgroundImage: `url("${storyboardPath}")`,
      backgroundSize: `${totalWidth * scale}px ${totalHeight * scale}px`,
      backgroundPosition: `-${(index % columns) * spriteWidth * scale}px -${Math.floor(index / columns) * spriteHeight * scale}px`
    })
  }, [sheet, time])
  return <div class="seek-frame" ref={frame} />
}
