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

type State = TranscodingSummary['state']
const LOOK_AGAIN = 4000
const PRIORITIES: Record<TranscodingPriority, { name: TextKey; said: TextKey }> = {
  high: { name: 'jobs.high', said: 'jobs.goesFirst' },
  normal: { name: 'jobs.normal', said: 'jobs.takesTurn' },
  low: { name: 'jobs.low', said: 'jobs.goesLast' }
}
const STATES: Record<State, [name: TextKey, kind: 'plain' | 'accent' | 'bad' | 'warn']> = {
  running: ['jobs.active', 'accent'],
  waiting: ['jobs.waiting', 'warn'],
  failed: ['jobs.failed', 'bad'],
  done: ['jobs.ready', 'plain']
}

/** The encoding of every video, the latest change first; what failed can be tried again while its file is there. */
export function TranscodingList(): JSX.Element {
  const [state, setState] = useState<State | 'all'>('all')
  return (
    <>
      <div class="jobs-filter">
        <Select
          label={t('users.show')}
          value={state}
          options={[['all', t('users.all')], ...Object.entries(STATES).map(([one, [name]]) => [one, t(name)] as [string, string])]}
          onText={one => setState(one as State | 'all')}
        />
      </div>
      <List key={state} state={state} />
    </>
  )
}

function List({ state }: { state: State | 'all' }): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = useList<TranscodingSummary>(
    async part => await api('GET /server/transcodings', { query: { ...part, ...(state === 'all' ? {} : { state }) } }),
    LOOK_AGAIN
  )
  return (
    <div aria-busy={busy}>
      {items.length > 0 && (
        <ul class="jobs" role="list">
          {items.map(encoding => (
            <Line key={encoding.video.id} encoding={encoding} onChange={reload} />
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

function Line({
  encoding: { video, account, state, priority, position, percent, attempts, error, retryable, updatedAt },
  onChange
}: {
  encoding: TranscodingSummary
  onChange: () => void
}): JSX.Element {
  const [busy, setBusy] = useState(false)
  const [name, kind] = STATES[state]
  const params = { id: video.uuid }
  const act = async (change: () => Promise<unknown>, said: string) => {
    setBusy(true)
    try {
      await change()
      showToast(said)
    } catch (problem) {
      showToast(apiErrorText(problem), { bad: true })
    } finally {
      setBusy(false)
    }
    onChange()
  }
  const again = async () =>
    await act(
      async () => await api('POST /videos/:id/transcoding', { params, body: { transcodingType: 'hls' } }),
      t('jobs.retried', { name: video.name })
    )
  const prioritize = async (to: TranscodingPriority) =>
    await act(
      async () => await api('PUT /server/transcodings/:id', { params, body: { priority: to } }),
      t(PRIORITIES[to].said, { name: video.name })
    )
  const stop = async () => {
    if (await openConfirmDialog({ title: t('jobs.stopTitle', { name: video.name }), text: t('jobs.stopText'), yes: t('jobs.stop') }))
      await act(async () => await api('DELETE /server/transcodings/:id', { params }), t('jobs.stopped', { name: video.name }))
  }
  const open = state === 'waiting' || state === 'running'
  return (
    <li class="job">
      <p class="job-name">
        <a href={`/w/${video.shortUUID}`}>
          <strong>{video.name}</strong>
        </a>{' '}
        <span class="soft small">{t('jobs.by', { name: account.displayName })}</span> <Badge kind={kind}>{t(name)}</Badge>
        {open && priority !== 'normal' && <Badge kind="plain">{t(PRIORITIES[priority].name)}</Badge>}
        {open && (
          <Menu
            label={t('mine.actions', { name: video.name })}
            trigger={props => <IconButton label={t('mine.actions', { name: video.name })} icon="more" disabled={busy} {...props} />}
            items={[
              ...(Object.keys(PRIORITIES) as TranscodingPriority[]).map(one => ({
                kind: 'choice' as const,
                text: t(PRIORITIES[one].name),
                chosen: one === priority,
                act: () => void prioritize(one)
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
            <Button icon="replay" busy={busy} aria-label={t('jobs.retryOf', { name: video.name })} onClick={() => void again()}>
              {t('ui.retry')}
            </Button>
          </p>
        ) : (
          <p class="soft small">{t('jobs.fileGone')}</p>
        ))}
    </li>
  )
}
