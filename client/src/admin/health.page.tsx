import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { HealthFault, Health } from '../../../shared/administration.ts'
import { api } from '../api.ts'
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

const LOOK_AGAIN = 10_000

/** How the site is doing at one glance, with words for what is wrong and what to do. */
export default function HealthPage(): JSX.Element {
  return <AdminPage room="health">{() => <Now />}</AdminPage>
}

function Now(): JSX.Element {
  const { data, error, reload } = useQuery('GET /server/health', {})
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload()
    }, LOOK_AGAIN)
    return () => clearInterval(timer)
  }, [])
  if (!data) return error ? <ErrorState text={apiErrorText(error)} onRetry={reload} /> : <div aria-busy="true" />
  return (
    <div class="health">
      {error !== null && <Notice kind="bad">{apiErrorText(error)}</Notice>}
      <div class="health-verdict" aria-live="polite">
        {data.faults.length === 0 && <Notice kind="good">{t('health.well')}</Notice>}
        {data.faults.map(fault => (
          <FaultNote key={fault.code} fault={fault} onDone={reload} />
        ))}
      </div>
      <Facts health={data} />
      <p class="soft small">{t('health.asOf', { time: formatDate(data.now, { timeStyle: 'medium' }) })}</p>
    </div>
  )
}

function FaultNote({ fault: { code, bad, count = 0, bytes = 0 }, onDone }: { fault: HealthFault; onDone: () => void }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const { what, remedy, path } = HEALTH_PROBLEM_TEXTS[code]
  const resume = async () => {
    setBusy(true)
    try {
      await api('POST /jobs/resume')
      showToast(t('health.resumed'))
      onDone()
    } catch (problem) {
      showToast(apiErrorText(problem), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  return (
    <Notice kind={bad ? 'bad' : 'warn'}>
      <p>
        <strong>{t(what, { count, size: formatSize(bytes) })}</strong>
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

function Facts({ health }: { health: Health }): JSX.Element {
  const { disk, stored, memory, load, postgres, redis, jobs, encodings, incoming, outgoing, peers } = health
  return (
    <div class="health-groups">
      <Group title={t('health.disk')}>
        {disk && <Share used={disk.total - disk.free} total={disk.total} label={t('health.diskUsed')} />}
        {disk && <Fact name={t('health.free')}>{formatSize(disk.free)}</Fact>}
        <Fact name={t('health.renditions')}>{formatSize(stored.renditions)}</Fact>
        <Fact name={t('health.originals')}>{formatSize(stored.originals)}</Fact>
        <Fact name={t('health.uploads')}>{formatSize(stored.uploads)}</Fact>
        <Fact name={t('health.database')}>{formatSize(postgres.bytes)}</Fact>
      </Group>
      <Group title={t('health.machine')}>
        <Share used={memory.total - memory.available} total={memory.total} label={t('health.memoryUsed')} />
        <Fact name={t('health.memoryFree')}>{formatSize(memory.available)}</Fact>
        <Fact name={t('health.memoryOwn')}>{formatSize(memory.process)}</Fact>
        <Fact name={t('health.load')}>
          {t('health.loadOf', { load: formatNumber(load.average, { maximumFractionDigits: 2 }), count: load.processors })}
        </Fact>
        <Fact name={t('health.started')}>{formatAge(new Date(Date.parse(health.now) - health.uptime * 1000))}</Fact>
      </Group>
      <Group title={t('health.work')}>
        <Fact name={t('health.workers')}>{jobs ? formatNumber(jobs.workers) : t('health.unknown')}</Fact>
        <Fact name={t('health.encodings')} path="/admin/jobs?tab=encodings">
          {t('health.counts', { waiting: encodings.waiting, running: encodings.running, failed: encodings.failed })}
        </Fact>
        <Fact name={t('health.jobs')} path="/admin/jobs?tab=active">
          {jobs ? t('health.counts', { waiting: jobs.waiting, running: jobs.active, failed: jobs.failed }) : t('health.unknown')}
        </Fact>
      </Group>
      <Group title={t('federation.name')}>
        <Fact name={t('health.incoming')}>{formatNumber(incoming.waiting)}</Fact>
        <Fact name={t('health.outgoing')}>{formatNumber(outgoing.waiting)}</Fact>
        <Fact name={t('health.held')}>{formatNumber(outgoing.held)}</Fact>
        <Fact name={t('federation.peers')} path="/admin/federation?tab=peers">
          {t('health.peersOf', { count: peers.total, bad: peers.failing + peers.open + peers.suspended })}
        </Fact>
      </Group>
      <Group title={t('health.software')}>
        <Fact name="Bobine">{health.version}</Fact>
        <Fact name="Node.js">{health.node.replace(/^v/, '')}</Fact>
        <Fact name="PostgreSQL">{postgres.version}</Fact>
        <Fact name="Redis">{redis ? `${redis.version} (${formatSize(redis.bytes)})` : t('health.silent')}</Fact>
        <Fact name="ffmpeg">{health.ffmpeg ?? t('health.absent')}</Fact>
      </Group>
    </div>
  )
}

function Group({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section class="health-group">
      <h2>{title}</h2>
      <dl>{children}</dl>
    </section>
  )
}

function Fact({ name, path, children }: { name: string; path?: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{path ? <a href={path}>{name}</a> : name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Share({ used, total, label }: { used: number; total: number; label: string }): JSX.Element {
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
