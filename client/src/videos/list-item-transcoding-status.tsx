import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { TranscodingProgress, Video } from '../../../shared/videos.ts'
import { formatPercent, t } from '../i18n/i18n.ts'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { pollTranscoding } from './poll-transcoding.ts'
import { TruncationNotice } from './truncation-notice.tsx'

/** Milliseconds; older videos are polled only if their state says that they are being transcoded. */
const ALWAYS_POLLED_AGE = 24 * 3600 * 1000

/**
 * The transcoding progress of a video in a list; once it is done or failed, only that its file ends early, if so. `onDone` is called when
 * a running one ends.
 */
export function ListItemTranscodingStatus({ video, onDone }: { video: Video; onDone: () => void }): JSX.Element | null {
  const [progress, setProgress] = useState<TranscodingProgress | null>(null)
  const mayBeUnfinished = video.state?.id === 2 || Date.now() - Date.parse(video.createdAt) < ALWAYS_POLLED_AGE
  useEffect(() => {
    if (!mayBeUnfinished) return
    let wasRunning = false
    return pollTranscoding(video.id, next => {
      setProgress(next)
      if (next.state === 'waiting' || next.state === 'running') wasRunning = true
      else if (wasRunning && video.state?.id !== 1) onDone()
    })
  }, [video.id, mayBeUnfinished])
  if (!progress) return null
  const truncation = <TruncationNotice truncatedAt={progress.truncatedAt} inList />
  if (progress.state === 'done' || progress.state === 'failed') return truncation
  const statusText =
    progress.state === 'waiting'
      ? `${t('mine.waiting')}${progress.position === null ? '' : ` · ${t('encoding.position', { position: progress.position })}`}`
      : progress.playable
        ? t('mine.playable', { percent: formatPercent(progress.percent / 100) })
        : t('mine.encoding', { percent: formatPercent(progress.percent / 100) })
  return (
    <div class="shelf-progress">
      <span class="soft small">{statusText}</span>
      <ProgressBar share={progress.state === 'running' ? progress.percent / 100 : null} label={t('encoding.name')} />
      {truncation}
    </div>
  )
}
