import type { JSX } from 'preact'
import type { IneffectiveActivity, UnsendableActivity } from '../../../shared/federation.ts'
import { api } from '../api.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { Badge } from '../ui/feedback.tsx'
import { useList } from '../use-list.ts'
import { FederationList, FederationListItem, runActionWithToast } from './federation-list.tsx'

/** Milliseconds. */
const REFRESH_INTERVAL = 5000

/** What could not be sent, if anything, and what was received without effect. */
export function Activities(): JSX.Element {
  return (
    <>
      <UnsendableActivities />
      <IneffectiveActivities />
    </>
  )
}

function UnsendableActivities(): JSX.Element | null {
  const list = useList<UnsendableActivity>(async query => await api('GET /server/unsendable-activities', { query }), REFRESH_INTERVAL)
  const retry = async (id?: number) => {
    await runActionWithToast(
      async () => await api('POST /server/unsendable-activities/retry', { body: id === undefined ? {} : { id } }),
      t('federation.triedAgain')
    )
    list.reload()
  }
  if (!list.total) return null
  return (
    <section class="servers-part">
      <h2>{t('federation.unsendable')}</h2>
      <p class="soft servers-intro">{t('federation.unsendableText')}</p>
      <p class="servers-intro">
        <Button icon="replay" onClick={() => void retry()}>
          {t('federation.tryAllAgain')}
        </Button>
      </p>
      <FederationList list={list} empty="">
        {({ id, activityId, type, actor, reason, setAsideAt }) => (
          <FederationListItem
            key={id}
            name={type}
            state={<Badge kind="bad">{t('federation.notSent')}</Badge>}
            facts={<ActivityDetails actor={actor} id={activityId} reason={reason} at={setAsideAt} />}
          >
            <Button
              icon="replay"
              aria-label={t('federation.tryAgainOf', { name: `${type} ${activityId ?? actor}` })}
              onClick={() => void retry(id)}
            >
              {t('federation.tryAgain')}
            </Button>
          </FederationListItem>
        )}
      </FederationList>
    </section>
  )
}

function IneffectiveActivities(): JSX.Element {
  const list = useList<IneffectiveActivity>(async query => await api('GET /server/ineffective-activities', { query }), REFRESH_INTERVAL)
  const processAgain = async (id: number, name: string) => {
    await runActionWithToast(
      async () => await api('POST /server/ineffective-activities/:id/process', { params: { id } }),
      t('federation.processing', { name })
    )
    list.reload()
  }
  return (
    <section>
      <h2 class="hidden-text">{t('federation.activities')}</h2>
      <p class="soft servers-intro">{t('federation.activitiesText')}</p>
      <FederationList list={list} empty={t('federation.noActivities')}>
        {({ id, activityId, type, actor, reason, receivedAt, repeatable }) => (
          <FederationListItem
            key={id}
            name={type}
            state={<OutcomeBadge reason={reason} />}
            facts={<ActivityDetails actor={actor} id={activityId} reason={reason.replace(OUTCOMES, '')} at={receivedAt} />}
          >
            {repeatable && (
              <Button
                icon="replay"
                aria-label={t('federation.processAgainOf', { name: `${type} ${activityId}` })}
                onClick={() => void processAgain(id, type)}
              >
                {t('federation.processAgain')}
              </Button>
            )}
          </FederationListItem>
        )}
      </FederationList>
    </section>
  )
}

/** What the badge says already. */
const OUTCOMES = /^(dropped|failed|given up): /

function OutcomeBadge({ reason }: { reason: string }): JSX.Element {
  if (reason.startsWith('dropped:')) return <Badge kind="warn">{t('federation.dropped')}</Badge>
  if (/^(failed|given up):/.test(reason)) return <Badge kind="bad">{t('federation.failed')}</Badge>
  return <Badge kind="accent">{t('federation.notApplicable')}</Badge>
}

type ActivityDetailsProps = { actor: string; id: string | null; reason: string | null; at: string }

function ActivityDetails({ actor, id, reason, at }: ActivityDetailsProps): JSX.Element {
  return (
    <dl class="server-facts">
      <div>
        <dt>{t('federation.actor')}</dt>
        <dd>{actor}</dd>
      </div>
      {id && (
        <div>
          <dt>{t('federation.activityId')}</dt>
          <dd>{id}</dd>
        </div>
      )}
      {reason && (
        <div>
          <dt>{t('federation.reason')}</dt>
          <dd lang="en">{reason}</dd>
        </div>
      )}
      <div>
        <dt>{t('federation.when')}</dt>
        <dd title={formatDate(at, { dateStyle: 'long', timeStyle: 'medium' })}>{formatAge(at)}</dd>
      </div>
    </dl>
  )
}
