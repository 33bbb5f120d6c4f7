import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { HealthFault, Health } from '../../../shared/administration.ts'
import type { RefusedRequests } from '../../../shared/rate-limits.ts'
import { api } from '../api.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { formatAge, formatDate, formatNumber, formatPercent, formatSize, t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button } from '../ui/button.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { ErrorState, Notice } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'
import { HEALTH_PROBLEM_TEXTS } from './health-problem-texts.ts'
import { AdminPage } from './admin-page.tsx'
import './health.css'

/** Milliseconds. */
const REFRESH_INTERVAL = 10_000

/** The health of the instance: its problems with their remedies, and figures of the machine, storage, jobs and federation. */
export default function HealthPage(): JSX.Element {
  return <AdminPage section="health">{() => <CurrentHealth />}</AdminPage>
}

function CurrentHealth(): JSX.Element {
  const { data, error, reload } = useQuery('GET /server/health', {})
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload()
    }, REFRESH_INTERVAL)
    return () => clearInterval(timer)
  }, [])
  if (!data) return error ? <ErrorState text={apiErrorText(error)} onRetry={reload} /> : <div aria-busy="true" />
  return (
    <div class="health">
      {error !== null && <Notice kind="bad">{apiErrorText(error)}</Notice>}
      <div class="health-verdict" aria-live="polite">
        {data.faults.length === 0 && <Notice kind="good">{t('health.well')}</Notice>}
        {data.faults.map(fault => (
          <HealthProblemNotice key={fault.code} fault={fault} onDone={reload} />
        ))}
      </div>
      <HealthDetails health={data} />
      <p class="soft small">{t('health.asOf', { time: formatDate(data.now, { timeStyle: 'medium' }) })}</p>
    </div>
  )
}

function HealthProblemNotice({
  fault: { code, bad, count = 0, bytes = 0, hosts = [] },
  onDone
}: {
  fault: HealthFault
  onDone: () => void
}): JSX.Element {
  const [busy, setBusy] = useState(false)
  const { problem, remedy, path } = HEALTH_PROBLEM_TEXTS[code]
  const resume = async () => {
    setBusy(true)
    try {
      await api('POST /jobs/resume')
      showToast(t('health.resumed'))
      onDone()
    } catch (error) {
      showToast(apiErrorText(error), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  return (
    <Notice kind={bad ? 'bad' : 'warn'}>
      <p>
        <strong>{t(problem, { count, size: formatSize(bytes), hosts: hosts.join(', ') })}</strong>
      </p>
      <p>
        {t(remedy)} {path && <a href={path}>{t('health.look')}</a>}
      </p>
      {code === 'jobs_paused' && (
        <p class="health-act">
          <Button busy={busy} icon="play" onClick={() => void resume()}>
            {t('health.resume')}
          </Button>
        </p>
      )}
    </Notice>
  )
}

function HealthDetails({ health }: { health: Health }): JSX.Element {
  const { disk, stored, memory, load, postgres, redis, jobs, encodings, incoming, outgoing, peers } = health
  return (
    <div class="health-groups">
      <DetailGroup title={t('health.disk')}>
        {disk && <UsageShare used={disk.total - disk.free} total={disk.total} label={t('health.diskUsed')} />}
        {disk && <Detail name={t('health.free')}>{formatSize(disk.free)}</Detail>}
        <Detail name={t('health.renditions')}>{formatSize(stored.renditions)}</Detail>
        <Detail name={t('health.originals')}>{formatSize(stored.originals)}</Detail>
        <Detail name={t('health.uploads')}>{formatSize(stored.uploads)}</Detail>
        <Detail name={t('health.database')}>{formatSize(postgres.bytes)}</Detail>
      </DetailGroup>
      <DetailGroup title={t('health.machine')}>
        <UsageShare used={memory.total - memory.available} total={memory.total} label={t('health.memoryUsed')} />
        <Detail name={t('health.memoryFree')}>{formatSize(memory.available)}</Detail>
        <Detail name={t('health.memoryOwn')}>{formatSize(memory.process)}</Detail>
        <Detail name={t('health.load')}>
          {t('health.loadOf', { load: formatNumber(load.average, { maximumFractionDigits: 2 }), count: load.processors })}
        </Detail>
        <Detail name={t('health.started')}>{formatAge(new Date(Date.parse(health.now) - health.uptime * 1000))}</Detail>
      </DetailGroup>
      <DetailGroup title={t('health.work')}>
        <Detail name={t('health.workers')}>{jobs ? formatNumber(jobs.workers) : t('health.unknown')}</Detail>
        <Detail name={t('health.encodings')} path="/admin/jobs?tab=encodings">
          {t('health.counts', { waiting: encodings.waiting, running: encodings.running, failed: encodings.failed })}
        </Detail>
        <Detail name={t('health.jobs')} path="/admin/jobs?tab=active">
          {jobs ? t('health.counts', { waiting: jobs.waiting, running: jobs.active, failed: jobs.failed }) : t('health.unknown')}
        </Detail>
      </DetailGroup>
      <DetailGroup title={t('federation.name')}>
        <Detail name={t('health.incoming')}>{formatNumber(incoming.waiting)}</Detail>
        <Detail name={t('health.outgoing')}>{formatNumber(outgoing.waiting)}</Detail>
        <Detail name={t('health.held')}>{formatNumber(outgoing.held)}</Detail>
        <Detail name={t('federation.peers')} path="/admin/federation?tab=peers">
          {t('health.peersOf', { count: peers.total, bad: peers.failing + peers.open + peers.suspended })}
        </Detail>
      </DetailGroup>
      <DetailGroup title={t('health.software')}>
        <Detail name="Bobine">{health.version}</Detail>
        <Detail name="Node.js">{health.node.replace(/^v/, '')}</Detail>
        <Detail name="PostgreSQL">{postgres.version}</Detail>
        <Detail name="Redis">{redis ? `${redis.version} (${formatSize(redis.bytes)})` : t('health.silent')}</Detail>
        <Detail name="ffmpeg">{health.ffmpeg ?? t('health.absent')}</Detail>
      </DetailGroup>
      {health.refusals.length > 0 && <RefusedRequestsList refusals={health.refusals} />}
      {health.slowStatements !== null && health.slowStatements.length > 0 && <SlowStatements statements={health.slowStatements} />}
    </div>
  )
}

function DetailGroup({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="health-group">
      <h2>{title}</h2>
      <dl>{children}</dl>
    </section>
  )
}

function Detail({ name, path, children }: { name: string; path?: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{path ? <a href={path}>{name}</a> : name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

const LIMITER_TEXTS: Record<RefusedRequests['limiter'], TextKey> = {
  api: 'health.limitApi',
  login: 'health.limitLogin',
  signup: 'health.limitSignup',
  upload: 'health.limitUpload',
  client: 'health.limitPages',
  files: 'health.limitFiles',
  activity_pub: 'health.limitDocuments',
  video_password: 'health.limitVideoPassword',
  inbox: 'health.limitInbox',
  inbox_capacity: 'health.limitInboxCapacity',
  unfinished_uploads: 'health.limitUnfinishedUploads'
}

function RefusedRequestsList({ refusals }: { refusals: RefusedRequests[] }): JSX.Element {
  return (
    <section class="health-group health-list">
      <h2>{t('health.refusals')}</h2>
      <ul>
        {refusals.map(({ limiter, refusals: count, lastAt, addresses, others }) => (
          <li key={limiter}>
            <strong>{t(LIMITER_TEXTS[limiter])}</strong>
            <span class="soft small">{t('health.refusedCount', { count, time: formatAge(new Date(lastAt)) })}</span>
            <ul class="small health-addresses">
              {addresses.map(one => (
                <li key={one.address}>
                  <code>{one.address}</code>
                  {formatNumber(one.refusals)}
                </li>
              ))}
              {others > 0 && (
                <li>
                  <span>{t('health.otherAddresses')}</span>
                  {formatNumber(others)}
                </li>
              )}
            </ul>
          </li>
        ))}
      </ul>
    </section>
  )
}

function SlowStatements({ statements }: { statements: NonNullable<Health['slowStatements']> }): JSX.Element {
  return (
    <section class="health-group health-list">
      <h2>{t('health.slow')}</h2>
      <ul>
        {statements.map(({ statement, count, longest }) => (
          <li key={statement}>
            <code class="small">{statement}</code>
            <span class="soft small">
              {t('health.slowLongest', { count: formatNumber(count), seconds: formatNumber(longest / 1000, { maximumFractionDigits: 1 }) })}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function UsageShare({ used, total, label }: { used: number; total: number; label: string }): JSX.Element {
  const share = total === 0 ? 0 : used / total
  return (
    <div class="health-share">
      <dt>{label}</dt>
      <dd>{t('health.shareOf', { used: formatSize(used), total: formatSize(total), percent: formatPercent(share) })}</dd>
      <dd class="health-bar">
        <ProgressBar share={share} label={label} />
      </dd>
    </div>
  )
}
