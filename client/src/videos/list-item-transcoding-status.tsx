import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { TranscodingProgress as Encoded, Video } from '../../../shared/videos.ts'
import { formatPercent, t } from '../i18n/i18n.ts'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { pollTranscoding } from './poll-transcoding.ts'

/** Older videos are only asked about when they are known to be unfinished. */
const YOUNG = 24 * 3600 * 1000

/** How far the encoding of a video in a list is; nothing once it is done. */
export function ListItemTranscodingStatus({ video, onDone }: { video: Video; onDone: () => void }): JSX.Element | null {
  const [progress, setProgress] = useState<Encoded | null>(null)
  const unfinished = video.state?.id === 2 || Date.now() - Date.parse(video.createdAt) < YOUNG
  useEffect(() => {
    if (!unfinished) return
    let running = false
    return pollTranscoding(video.id, next => {
      setProgress(next)
      if (next.state === 'waiting' || next.state === 'running') running = true
      else if (running && video.state?.id !== 1) onDone()
    })
  }, [video.id, unfinished])
  if (!progress || progress.state === 'done' || progress.state === 'failed') return null
  const words =
    progress.state === 'waiting'
      ? `${t('mine.waiting')}${progress.position === null ? '' : ` · ${t('encoding.position', { position: progress.position })}`}`
      : progress.playable
        ? t('mine.playable', { percent: formatPercent(progress.percent / 100) })
        : t('mine.encoding', { percent: formatPercent(progress.percent / 100) })
  return (
    <div class="shelf-progress">
      <span class="soft small">{words}</span>
      <ProgressBar share={progress.state === 'running' ? progress.percent / 100 : null} label={t('encoding.name')} />
    </div>
  )
}
