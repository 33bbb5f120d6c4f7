import type { JSX } from 'preact'
import type { TranscodingProgress } from '../../../shared/videos.ts'
import { formatPercent, formatDuration, t } from '../i18n/i18n.ts'
import { Icon } from '../ui/icon.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Notice } from '../ui/feedback.tsx'
import { TruncationNotice } from './truncation-notice.tsx'
import './transcoding-status.css'

const RENDITION_STATE_TEXTS = {
  waiting: 'encoding.renditionWaiting',
  growing: 'encoding.renditionGrowing',
  done: 'encoding.renditionDone'
} as const
/** Seconds; a shorter wait is not shown. */
const MIN_SHOWN_WAIT = 10

/** The transcoding progress of one of the user's videos, with the state of each rendition. */
export function TranscodingStatus({ progress }: { progress: TranscodingProgress }): JSX.Element {
  const { state, playable, percent, secondsLeft, position, startsIn, rungs: renditions, error, truncatedAt } = progress
  const errorParagraph = error && <p class="soft small">{error}</p>
  if (state === 'failed')
    return (
      <>
        <Notice kind="bad">{t('encoding.failed')}</Notice>
        {errorParagraph}
        <TruncationNotice truncatedAt={truncatedAt} />
      </>
    )
  const statusText =
    state === 'done'
      ? t('encoding.done')
      : state === 'waiting' && !playable
        ? t('encoding.waiting')
        : playable
          ? t('encoding.playable')
          : t('encoding.beginning')
  return (
    <section class="encoding" aria-label={t('encoding.name')}>
      <p class="encoding-line">
        <span role="status">{statusText}</span>
        {position !== null && (
          <span class="encoding-figures">
            {t('encoding.position', { position })}
            {startsIn === null || startsIn < MIN_SHOWN_WAIT ? '' : ` · ${t('encoding.startsIn', { time: formatDuration(startsIn) })}`}
          </span>
        )}
        {state === 'running' && (
          <span class="encoding-figures">
            {formatPercent(percent / 100)}
            {secondsLeft === null ? '' : ` · ${t('upload.left', { time: formatDuration(secondsLeft) })}`}
          </span>
        )}
      </p>
      {state !== 'done' && <ProgressBar share={state === 'running' && percent > 0 ? percent / 100 : null} label={t('encoding.name')} />}
      {errorParagraph}
      {renditions.length > 0 && (
        <ul class="row encoding-renditions" role="list">
          {renditions.map(rendition => (
            <li key={rendition.resolution} class={`encoding-rung encoding-${rendition.state}`}>
              {rendition.state === 'done' && <Icon name="check" size={15} />}
              <span>{rendition.resolution === 0 ? t('encoding.sound') : rendition.label}</span>
              <span class="hidden-text">{t(RENDITION_STATE_TEXTS[rendition.state])}</span>
            </li>
          ))}
        </ul>
      )}
      <TruncationNotice truncatedAt={truncatedAt} />
    </section>
  )
}
