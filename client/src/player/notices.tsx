import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { formatTime, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import type { PlaybackError } from './source.ts'

const ERROR_TEXTS = { network: 'player.faultNetwork', missing: 'player.faultMissing', unplayable: 'player.faultUnplayable' } as const

/** The message of a playback error, with a button to retry. */
export function PlaybackErrorPanel({ error, onRetry }: { error: PlaybackError; onRetry: () => void }): JSX.Element {
  return (
    <div class="player-fault" role="alert">
      <p>{t(ERROR_TEXTS[error])}</p>
      <Button icon="replay" onClick={onRetry}>
        {t('ui.retry')}
      </Button>
    </div>
  )
}

/** The position that playback was resumed from, with a button to start from the beginning; disappears after 8 seconds. */
export function ResumedNotice({ at, onRestart }: { at: number; onRestart: () => void }): JSX.Element | null {
  const [dismissed, setDismissed] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setDismissed(true), 8000)
    return () => clearTimeout(timer)
  }, [])
  if (dismissed) return null
  return (
    <div class="player-note" role="status">
      <span>{t('player.resumed', { time: formatTime(at) })}</span>
      <button
        type="button"
        onClick={() => {
          setDismissed(true)
          onRestart()
        }}
      >
        {t('player.fromStart')}
      </button>
    </div>
  )
}
