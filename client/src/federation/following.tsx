import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { ActorFollow, UnresolvedFollow } from '../../../shared/follows.ts'
import { api } from '../api.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Button } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { TextArea } from '../ui/field.tsx'
import { Badge } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { followHandle, followName, parseFollowTargets, followNameFromHandle } from './follow-name.ts'
import { runActionWithToast, FederationListItem, FederationList } from './federation-list.tsx'
import { useList } from '../use-list.ts'

/** Milliseconds between two checks for an answer to a follow. */
const REFRESH_INTERVAL = 5000

/** The actors that this instance follows, the ones not resolved yet, and the form to follow more. */
export function Following(): JSX.Element {
  const follows = useList<ActorFollow>(async query => await api('GET /server/following', { query }), REFRESH_INTERVAL)
  const unresolved = useList<UnresolvedFollow>(async query => await api('GET /server/following/wanted', { query }), REFRESH_INTERVAL)
  const reloadBoth = () => {
    follows.reload()
    unresolved.reload()
  }
  const cancelUnresolved = async ({ handle }: UnresolvedFollow) => {
    await runActionWithToast(
      async () => await api('DELETE /server/following/:hostOrHandle', { params: { hostOrHandle: handle } }),
      t('federation.givenUp', { name: followNameFromHandle(handle) })
    )
    unresolved.reload()
  }
  const confirmAndUnfollow = async ({ following }: ActorFollow) => {
    const name = followName(following)
    if (
      !(await openConfirmDialog({
        title: t('federation.unfollowTitle', { name }),
        text: t('federation.unfollowText'),
        yes: t('federation.unfollow')
      }))
    )
      return
    await runActionWithToast(
      async () => await api('DELETE /server/following/:hostOrHandle', { params: { hostOrHandle: followHandle(following) } }),
      t('federation.unfollowed', { name })
    )
    follows.reload()
  }
  return (
    <>
      <AddFollowForm onAdded={reloadBoth} />
      {unresolved.items.length > 0 && (
        <section class="servers-part">
          <h2>{t('federation.wanted')}</h2>
          <FederationList list={unresolved} empty="">
            {follow => (
              <FederationListItem
                key={follow.handle}
                name={followNameFromHandle(follow.handle)}
                state={
                  <Badge kind={follow.nextTryAt ? 'warn' : 'bad'}>{t(follow.nextTryAt ? 'federation.looking' : 'federation.nobody')}</Badge>
                }
                facts={<UnresolvedFollowDetails follow={follow} />}
              >
                <Button
                  icon="close"
                  aria-label={t('federation.giveUpOf', { name: followNameFromHandle(follow.handle) })}
                  onClick={() => void cancelUnresolved(follow)}
                >
                  {t('federation.giveUp')}
                </Button>
              </FederationListItem>
            )}
          </FederationList>
        </section>
      )}
      <FederationList list={follows} empty={t('federation.followingNobody')}>
        {follow => (
          <FederationListItem
            key={follow.id}
            name={followName(follow.following)}
            state={<FollowStateBadge state={follow.state} />}
            facts={<p class="soft small">{formatAge(follow.createdAt)}</p>}
          >
            <Button
              icon="trash"
              aria-label={t('federation.unfollowOf', { name: followName(follow.following) })}
              onClick={() => void confirmAndUnfollow(follow)}
            >
              {t('federation.unfollow')}
            </Button>
          </FederationListItem>
        )}
      </FederationList>
    </>
  )
}

function UnresolvedFollowDetails({ follow: { error, nextTryAt } }: { follow: UnresolvedFollow }): JSX.Element {
  const nextTryText = nextTryAt && `${t('federation.nextTry')}: ${formatDate(nextTryAt, { dateStyle: 'medium', timeStyle: 'short' })}`
  return <p class="soft small">{[error, nextTryText].filter(Boolean).join(' · ')}</p>
}

const STATE_BADGES = {
  pending: ['federation.pending', 'warn'],
  accepted: ['federation.accepted', 'accent'],
  rejected: ['federation.rejected', 'bad']
} as const

/** A badge with the state of a follow: pending, accepted or rejected. */
export function FollowStateBadge({ state }: { state: ActorFollow['state'] }): JSX.Element {
  const [text, kind] = STATE_BADGES[state]
  return <Badge kind={kind}>{t(text)}</Badge>
}

function AddFollowForm({ onAdded }: { onAdded: () => void }): JSX.Element {
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const add = async (event: Event) => {
    event.preventDefault()
    const { hosts, handles, invalid } = parseFollowTargets(text)
    setProblem(invalid.length > 0 ? t('federation.addWrong', { words: invalid.join(', ') }) : null)
    if (invalid.length > 0 || hosts.length + handles.length === 0 || busy) return
    setBusy(true)
    try {
      await api('POST /server/following', { body: { hosts, handles } })
      setText('')
      showToast(t('federation.added'))
      onAdded()
    } catch (error) {
      setProblem(apiErrorText(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class="form servers-add" onSubmit={event => void add(event)}>
      <TextArea
        label={t('federation.add')}
        hint={t('federation.addHint')}
        error={problem}
        value={text}
        onText={setText}
        rows={2}
        autoCapitalize="off"
        autoComplete="off"
        spellcheck={false}
      />
      <div class="form-foot">
        <Button look="primary" icon="plus" type="submit" busy={busy} disabled={text.trim() === ''}>
          {t('federation.follow')}
        </Button>
      </div>
    </form>
  )
}
