import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { TranscodingSummary, TranscodingPriority } from '../../../shared/transcoding.ts'
import { api } from '../api.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { Select } from '../ui/field.tsx'
import { Menu } from '../ui/menu.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Badge, ErrorState } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { useList } from '../use-list.ts'

type TranscodingState = TranscodingSummary['state']
/** Milliseconds. */
const REFRESH_INTERVAL = 4000
const PRIORITY_TEXTS: Record<TranscodingPriority, { name: TextKey; toast: TextKey }> = {
  high: { name: 'jobs.high', toast: 'jobs.goesFirst' },
  normal: { name: 'jobs.normal', toast: 'jobs.takesTurn' },
  low: { name: 'jobs.low', toast: 'jobs.goesLast' }
}
const STATE_BADGES: Record<TranscodingState, [name: TextKey, kind: 'plain' | 'accent' | 'bad' | 'warn']> = {
  running: ['jobs.active', 'accent'],
  waiting: ['jobs.waiting', 'warn'],
  failed: ['jobs.failed', 'bad'],
  done: ['jobs.ready', 'plain']
}

/** The transcodings of all videos, the latest change first; a failed one can be retried while its source file exists. */
export function TranscodingList(): JSX.Element {
  const [state, setState] = useState<TranscodingState | 'all'>('all')
  return (
    <>
      <div class="jobs-filter">
        <Select
          label={t('users.show')}
          value={state}
          options={[['all', t('users.all')], ...Object.entries(STATE_BADGES).map(([id, [name]]) => [id, t(name)] as [string, string])]}
          onText={value => setState(value as TranscodingState | 'all')}
        />
      </div>
      <TranscodingsOfState key={state} state={state} />
    </>
  )
}

function TranscodingsOfState({ state }: { state: TranscodingState | 'all' }): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = useList<TranscodingSummary>(
    async range => await api('GET /server/transcodings', { query: { ...range, ...(state === 'all' ? {} : { state }) } }),
    REFRESH_INTERVAL
  )
  return (
    <div aria-busy={busy}>
      {items.length > 0 && (
        <ul class="jobs" role="list">
          {items.map(transcoding => (
            <TranscodingListItem key={transcoding.video.id} transcoding={transcoding} onChange={reload} />
          ))}
        </ul>
      )}
      {total === 0 && <p class="soft">{t('jobs.noEncodings')}</p>}
      {failed && <ErrorState text={t('ui.noConnection')} onRetry={reload} />}
      {!failed && more && (
        <div class="endless-end">
          <Button busy={busy} onClick={next}>
            {t('mine.more')}
          </Button>
        </div>
      )}
    </div>
  )
}

function TranscodingListItem({
  transcoding: { video, account, state, priority, position, percent, attempts, error, retryable, updatedAt },
  onChange
}: {
  transcoding: TranscodingSummary
  onChange: () => void
}): JSX.Element {
  const [busy, setBusy] = useState(false)
  const [name, kind] = STATE_BADGES[state]
  const params = { id: video.uuid }
  const runAction = async (request: () => Promise<unknown>, successText: string) => {
    setBusy(true)
    try {
      await request()
      showToast(successText)
    } catch (caught) {
      showToast(apiErrorText(caught), { bad: true })
    } finally {
      setBusy(false)
    }
    onChange()
  }
  const retry = async () =>
    await runAction(
      async () => await api('POST /videos/:id/transcoding', { params, body: { transcodingType: 'hls' } }),
      t('jobs.retried', { name: video.name })
    )
  const prioritize = async (newPriority: TranscodingPriority) =>
    await runAction(
      async () => await api('PUT /server/transcodings/:id', { params, body: { priority: newPriority } }),
      t(PRIORITY_TEXTS[newPriority].toast, { name: video.name })
    )
  const stop = async () => {
    if (await openConfirmDialog({ title: t('jobs.stopTitle', { name: video.name }), text: t('jobs.stopText'), yes: t('jobs.stop') }))
      await runAction(async () => await api('DELETE /server/transcodings/:id', { params }), t('jobs.stopped', { name: video.name }))
  }
  const unfinished = state === 'waiting' || state === 'running'
  return (
    <li class="job">
      <p class="job-name">
        <a href={`/w/${video.shortUUID}`}>
          <strong>{video.name}</strong>
        </a>{' '}
        <span class="soft small">{t('jobs.by', { name: account.displayName })}</span> <Badge kind={kind}>{t(name)}</Badge>
        {unfinished && priority !== 'normal' && <Badge kind="plain">{t(PRIORITY_TEXTS[priority].name)}</Badge>}
        {unfinished && (
          <Menu
            label={t('mine.actions', { name: video.name })}
            trigger={props => <IconButton label={t('mine.actions', { name: video.name })} icon="more" disabled={busy} {...props} />}
            items={[
              ...(Object.keys(PRIORITY_TEXTS) as TranscodingPriority[]).map(choice => ({
                kind: 'choice' as const,
                text: t(PRIORITY_TEXTS[choice].name),
                chosen: choice === priority,
                act: () => void prioritize(choice)
              })),
              { kind: 'action', text: t('jobs.stop'), danger: true, act: () => void stop() }
            ]}
          />
        )}
      </p>
      <p class="soft small job-times">
        <time dateTime={updatedAt} title={formatDate(updatedAt, { dateStyle: 'long', timeStyle: 'medium' })}>
          {formatAge(updatedAt)}
        </time>
        {position !== null && <span>{t('encoding.position', { position })}</span>}
        {attempts > 0 && <span>{t('jobs.attempts', { count: attempts })}</span>}
      </p>
      {state === 'running' && (
        <ProgressBar share={percent === 0 ? null : percent / 100} label={t('jobs.progressOf', { name: video.name })} />
      )}
      {error && <p class="job-error">{error}</p>}
      {state === 'failed' &&
        (retryable ? (
          <p>
            <Button icon="replay" busy={busy} aria-label={t('jobs.retryOf', { name: video.name })} onClick={() => void retry()}>
              {t('ui.retry')}
            </Button>
          </p>
        ) : (
          <p class="soft small">{t('jobs.fileGone')}</p>
        ))}
    </li>
  )
}
