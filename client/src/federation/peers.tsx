import type { JSX } from 'preact'
import type { Peer } from '../../../shared/federation.ts'
import { api } from '../api.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { Badge } from '../ui/feedback.tsx'
import { runActionWithToast, FederationListItem, FederationList } from './federation-list.tsx'
import { useList } from '../use-list.ts'

/** Milliseconds. */
const REFRESH_INTERVAL = 5000
const STATE_BADGES = {
  ok: ['federation.ok', 'accent'],
  failing: ['federation.failing', 'warn'],
  open: ['federation.open', 'bad'],
  suspended: ['federation.suspended', 'bad']
} as const

/** The state of the exchange with the known servers, those with problems first. */
export function Peers(): JSX.Element {
  const list = useList<Peer>(async query => await api('GET /server/peers', { query }), REFRESH_INTERVAL)
  const runAction = async (action: () => Promise<unknown>, successText: string) => {
    await runActionWithToast(action, successText)
    list.reload()
  }
  return (
    <>
      <p class="soft servers-intro">{t('federation.peersText')}</p>
      <FederationList list={list} empty={t('federation.noPeers')}>
        {peer => {
          const [text, kind] = STATE_BADGES[peer.state]
          const params = { host: peer.host }
          return (
            <FederationListItem
              key={peer.host}
              name={peer.host}
              state={<Badge kind={kind}>{t(text)}</Badge>}
              facts={<PeerDetails peer={peer} />}
            >
              <Button
                icon="replay"
                aria-label={t('federation.retryOf', { name: peer.host })}
                onClick={() =>
                  void runAction(
                    async () => await api('POST /server/peers/:host/retry', { params }),
                    t('federation.retried', { name: peer.host })
                  )
                }
              >
                {t('federation.retry')}
              </Button>
              <Button
                icon="upload"
                aria-label={t('federation.resyncOf', { name: peer.host })}
                title={t('federation.resyncHint')}
                onClick={() =>
                  void runAction(
                    async () => await api('POST /server/peers/:host/resync', { params }),
                    t('federation.resynced', { name: peer.host })
                  )
                }
              >
                {t('federation.resync')}
              </Button>
            </FederationListItem>
          )
        }}
      </FederationList>
    </>
  )
}

/** The delivery state of a server: only entries that are known and relevant now. */
function PeerDetails({ peer }: { peer: Peer }): JSX.Element {
  const { lastSuccessAt, lastReceivedAt, lastFailureAt, lastError, failures, waiting, oldestWaitingAt, openUntil, missedSince } = peer
  const failureText = [
    t('federation.failures', { count: failures }),
    lastFailureAt ? `, ${formatAge(lastFailureAt)}` : '',
    lastError ? `: ${lastError}` : ''
  ].join('')
  const details: [name: string, when: string | null, text: string][] = [
    [t('federation.lastSuccess'), lastSuccessAt, lastSuccessAt ? formatAge(lastSuccessAt) : t('federation.never')],
    [t('federation.lastReceived'), lastReceivedAt, lastReceivedAt ? formatAge(lastReceivedAt) : t('federation.never')],
    [
      t('federation.waiting'),
      oldestWaitingAt,
      waiting === 0 || !oldestWaitingAt
        ? t('federation.nothingWaits')
        : t('federation.waits', { count: waiting, age: formatAge(oldestWaitingAt) })
    ],
    ...(failures > 0 ? [[t('federation.lastFailure'), lastFailureAt, failureText] as [string, string | null, string]] : []),
    ...(openUntil && peer.state === 'open'
      ? [
          [t('federation.nextTry'), openUntil, formatDate(openUntil, { dateStyle: 'medium', timeStyle: 'short' })] as [
            string,
            string,
            string
          ]
        ]
      : []),
    ...(missedSince
      ? [
          [t('federation.missed'), missedSince, formatDate(missedSince, { dateStyle: 'medium', timeStyle: 'short' })] as [
            string,
            string,
            string
          ]
        ]
      : [])
  ]
  return (
    <dl class="server-facts">
      {details.map(([name, when, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd title={when ? formatDate(when, { dateStyle: 'long', timeStyle: 'medium' }) : undefined}>{text}</dd>
        </div>
      ))}
    </dl>
  )
}
