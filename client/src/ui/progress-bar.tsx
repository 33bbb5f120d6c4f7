import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import './progress-bar.css'

/** A progress bar; `share` from 0 to 1, null while unknown; `label` is its accessible name. */
export function ProgressBar({ share, label }: { share: number | null; label: string }): JSX.Element {
  const bar = useRef<HTMLDivElement>(null)
  // By the CSSOM, because the content security policy forbids style attributes.
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
