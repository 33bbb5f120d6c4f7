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

/** So often it is looked whether somebody has answered. */
const LOOK_AGAIN = 5000

/** Whom this instance follows, and a place to follow more. */
export function Following(): JSX.Element {
  const list = useList<ActorFollow>(async query => await api('GET /server/following', { query }), LOOK_AGAIN)
  const wanted = useList<UnresolvedFollow>(async query => await api('GET /server/following/wanted', { query }), LOOK_AGAIN)
  const reload = () => {
    list.reload()
    wanted.reload()
  }
  const giveUp = async ({ handle }: UnresolvedFollow) => {
    await runActionWithToast(
      async () => await api('DELETE /server/following/:hostOrHandle', { params: { hostOrHandle: handle } }),
      t('federation.givenUp', { name: followNameFromHandle(handle) })
    )
    wanted.reload()
  }
  const remove = async ({ following }: ActorFollow) => {
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
    list.reload()
  }
  return (
    <>
      <Add onAdded={reload} />
      {wanted.items.length > 0 && (
        <section class="servers-part">
          <h2>{t('federation.wanted')}</h2>
          <FederationList list={wanted} empty="">
            {one => (
              <FederationListItem
                key={one.handle}
                name={followNameFromHandle(one.handle)}
                state={<Badge kind={one.nextTryAt ? 'warn' : 'bad'}>{t(one.nextTryAt ? 'federation.looking' : 'federation.nobody')}</Badge>}
                facts={<WantedFacts wanted={one} />}
              >
                <Button
                  icon="close"
                  aria-label={t('federation.giveUpOf', { name: followNameFromHandle(one.handle) })}
                  onClick={() => void giveUp(one)}
                >
                  {t('federation.giveUp')}
                </Button>
              </FederationListItem>
            )}
          </FederationList>
        </section>
      )}
      <FederationList list={list} empty={t('federation.followingNobody')}>
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
              onClick={() => void remove(follow)}
            >
              {t('federation.unfollow')}
            </Button>
          </FederationListItem>
        )}
      </FederationList>
    </>
  )
}

function WantedFacts({ wanted: { error, nextTryAt } }: { wanted: UnresolvedFollow }): JSX.Element {
  const when = nextTryAt && `${t('federation.nextTry')}: ${formatDate(nextTryAt, { dateStyle: 'medium', timeStyle: 'short' })}`
  return <p class="soft small">{[error, when].filter(Boolean).join(' · ')}</p>
}

const STATES = {
  pending: ['federation.pending', 'warn'],
  accepted: ['federation.accepted', 'accent'],
  rejected: ['federation.rejected', 'bad']
} as const

/** Whether a follow was answered, and how. */
export function FollowStateBadge({ state }: { state: ActorFollow['state'] }): JSX.Element {
  const [text, kind] = STATES[state]
  return <Badge kind={kind}>{t(text)}</Badge>
}

function Add({ onAdded }: { onAdded: () => void }): JSX.Element {
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const add = async (event: Event) => {
    event.preventDefault()
    const { hosts, handles, wrong } = parseFollowTargets(text)
    setProblem(wrong.length > 0 ? t('federation.addWrong', { words: wrong.join(', ') }) : null)
    if (wrong.length > 0 || hosts.length + handles.length === 0 || busy) return
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
