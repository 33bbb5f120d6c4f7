import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { formatTime, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import type { PlaybackError } from './source.ts'

const FAULTS = { network: 'player.faultNetwork', missing: 'player.faultMissing', unplayable: 'player.faultUnplayable' } as const

/** What went wrong, in words, and the way to try again. */
export function PlaybackErrorPanel({ fault, onRetry }: { fault: PlaybackError; onRetry: () => void }): JSX.Element {
  return (
    <div class="player-fault" role="alert">
      <p>{t(FAULTS[fault])}</p>
      <Button icon="replay" onClick={onRetry}>
        {t('ui.retry')}
      </Button>
    </div>
  )
}

/** Where the video goes on, and the way back to its start. */
export function ResumedNotice({ at, onAgain }: { at: number; onAgain: () => void }): JSX.Element | null {
  const [gone, setGone] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setGone(true), 8000)
    return () => clearTimeout(timer)
  }, [])
  if (gone) return null
  return (
    <div class="player-note" role="status">
      <span>{t('player.resumed', { time: formatTime(at) })}</span>
      <button
        type="button"
        onClick={() => {
          setGone(true)
          onAgain()
        }}
      >
        {t('player.fromStart')}
      </button>
    </div>
  )
}
