import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import './progress-bar.css'

/** How far something is, 0 to 1; null while nobody knows. `label` names it. */
export function ProgressBar({ share, label }: { share: number | null; label: string }): JSX.Element {
  const bar = useRef<HTMLDivElement>(null)
  // Through the object model: a style attribute would be against the content security policy.
  useEffect(() => {
    if (share !== null) bar.current?.style.setProperty('inline-size', `${Math.min(100, Math.max(0, share * 100))}%`)
  }, [share])
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={share === null ? undefined : Math.floor(share * 100)}
    >
      <div ref={bar} class={share === null ? 'progress-bar progress-unknown' : 'progress-bar'} />
    </div>
  )
}
