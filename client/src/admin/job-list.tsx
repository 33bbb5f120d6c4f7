import type { JSX } from 'preact'
import { api, type ApiResponse } from '../api.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { Button } from '../ui/button.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Badge, ErrorState } from '../ui/feedback.tsx'
import { useList } from '../use-list.ts'
import { JOB_NAMES } from './job-names.ts'

/** The states of jobs that have a tab. */
export type JobTab = 'active' | 'waiting' | 'failed' | 'completed' | 'delayed'
type Job = ApiResponse<'GET /jobs/:state'>['data'][number]

/** Milliseconds. */
const REFRESH_INTERVAL = 4000
const EMPTY_TEXTS: Record<JobTab, TextKey> = {
  active: 'jobs.noneActive',
  waiting: 'jobs.noneWaiting',
  failed: 'jobs.noneFailed',
  completed: 'jobs.noneCompleted',
  delayed: 'jobs.noneDelayed'
}

/** The jobs of one state, refreshed periodically. */
export function JobList({ state }: { state: JobTab }): JSX.Element {
  const { items, total, busy, failed, more, next, reload } = useList<Job>(async query => {
    const page = await api('GET /jobs/:state', { params: { state }, query })
    // While the queues are paused, waiting jobs are in the state `paused`.
    return state === 'waiting' && page.total === 0 ? await api('GET /jobs/:state', { params: { state: 'paused' }, query }) : page
  }, REFRESH_INTERVAL)
  return (
    <div aria-busy={busy}>
      {state === 'failed' && <p class="soft jobs-intro">{t('jobs.failedText')}</p>}
      {items.length > 0 && (
        <ul class="jobs" role="list">
          {items.map(job => (
            <JobListItem key={`${job.type} ${job.id}`} job={job} />
          ))}
        </ul>
      )}
      {total === 0 && <p class="soft">{t(EMPTY_TEXTS[state])}</p>}
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

function JobListItem({ job: { type, state, data, progress, error, createdAt, processedOn, finishedOn } }: { job: Job }): JSX.Element {
  const name = JOB_NAMES[type]
  const dataText = JSON.stringify(data ?? {})
  const stackTrace = typeof error === 'string' ? error : null
  return (
    <li class="job">
      <p class="job-name">
        <strong>{name ? t(name) : type}</strong> <span class="soft small">{type}</span>{' '}
        {state === 'paused' && <Badge kind="warn">{t('jobs.halted')}</Badge>}
      </p>
      <p class="soft small job-times">
        {[
          [t('jobs.created'), createdAt],
          [t('jobs.begun'), processedOn],
          [t('jobs.ended'), finishedOn]
        ].map(
          ([label, when]) =>
            when && (
              <span key={label}>
                {label}:{' '}
                <time dateTime={when} title={formatDate(when, { dateStyle: 'long', timeStyle: 'medium' })}>
                  {formatAge(when)}
                </time>
              </span>
            )
        )}
      </p>
      {dataText !== '{}' && (
        <p class="small job-data">
          <code>{dataText}</code>
        </p>
      )}
      {state === 'active' && progress > 0 && <ProgressBar share={progress / 100} label={t('jobs.progress')} />}
      {stackTrace && <p class="job-error">{stackTrace.split('\n', 1)[0]!.replace(/^Error: /, '')}</p>}
      {stackTrace?.includes('\n') && (
        <details class="job-trace">
          <summary>{t('jobs.details')}</summary>
          <pre tabIndex={0}>{stackTrace}</pre>
        </details>
      )}
    </li>
  )
}
