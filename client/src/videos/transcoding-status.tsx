import type { JSX } from 'preact'
import type { TranscodingProgress as Encoded } from '../../../shared/videos.ts'
import { formatPercent, formatDuration, t } from '../i18n/i18n.ts'
import { Icon } from '../ui/icon.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Notice } from '../ui/feedback.tsx'
import './transcoding-status.css'

const STATES = { waiting: 'encoding.rungWaiting', growing: 'encoding.rungGrowing', done: 'encoding.rungDone' } as const
/** Seconds of waiting that are not worth a word. */
const SOON = 10

/** How far the qualities of an own video are. */
export function TranscodingStatus({ progress }: { progress: Encoded }): JSX.Element {
  const { state, playable, percent, secondsLeft, position, startsIn, rungs, error } = progress
  const why = error && <p class="soft small">{error}</p>
  if (state === 'failed')
    return (
      <>
        <Notice kind="bad">{t('encoding.failed')}</Notice>
        {why}
      </>
    )
  const words =
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
        <span role="status">{words}</span>
        {position !== null && (
          <span class="encoding-figures">
            {t('encoding.position', { position })}
            {startsIn === null || startsIn < SOON ? '' : ` · ${t('encoding.startsIn', { time: formatDuration(startsIn) })}`}
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
      {why}
      {rungs.length > 0 && (
        <ul class="row encoding-rungs" role="list">
          {rungs.map(rung => (
            <li key={rung.resolution} class={`encoding-rung encoding-${rung.state}`}>
              {rung.state === 'done' && <Icon name="check" size={15} />}
              <span>{rung.resolution === 0 ? t('encoding.sound') : rung.label}</span>
              <span class="hidden-text">{t(STATES[rung.state])}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
