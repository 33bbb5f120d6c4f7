import type { JSX } from 'preact'
import type { ActorFollow } from '../../../shared/follows.ts'
import { api } from '../api.ts'
import { formatAge, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { followHandle, followName } from './follow-name.ts'
import { FollowStateBadge } from './following.tsx'
import { runActionWithToast, FederationListItem, FederationList } from './federation-list.tsx'
import { useList } from '../use-list.ts'

/** Milliseconds. */
const REFRESH_INTERVAL = 15_000

/** The followers of this instance; pending ones can be accepted or rejected. */
export function Followers(): JSX.Element {
  const list = useList<ActorFollow>(async query => await api('GET /server/followers', { query }), REFRESH_INTERVAL)
  const runAction = async (action: () => Promise<unknown>, successText: string) => {
    await runActionWithToast(action, successText)
    list.reload()
  }
  const renderFollower = ({ id, state, follower, createdAt }: ActorFollow) => {
    const [name, params] = [followName(follower), { handle: followHandle(follower) }]
    const remove = async () => {
      if (
        await openConfirmDialog({
          title: t('federation.removeTitle', { name }),
          text: t('federation.removeText'),
          yes: t('federation.remove')
        })
      )
        await runAction(async () => await api('DELETE /server/followers/:handle', { params }), t('federation.removed', { name }))
    }
    return (
      <FederationListItem
        key={id}
        name={name}
        state={<FollowStateBadge state={state} />}
        facts={<p class="soft small">{formatAge(createdAt)}</p>}
      >
        {state !== 'accepted' && (
          <Button
            look="primary"
            icon="check"
            aria-label={t('federation.acceptOf', { name })}
            onClick={() =>
              void runAction(
                async () => await api('POST /server/followers/:handle/accept', { params }),
                t('federation.nowAccepted', { name })
              )
            }
          >
            {t('federation.accept')}
          </Button>
        )}
        {state !== 'rejected' && (
          <Button
            icon="close"
            aria-label={t('federation.rejectOf', { name })}
            onClick={() =>
              void runAction(
                async () => await api('POST /server/followers/:handle/reject', { params }),
                t('federation.nowRejected', { name })
              )
            }
          >
            {t('federation.reject')}
          </Button>
        )}
        <Button icon="trash" aria-label={t('federation.removeOf', { name })} onClick={() => void remove()}>
          {t('federation.remove')}
        </Button>
      </FederationListItem>
    )
  }
  return (
    <FederationList list={list} empty={t('federation.noFollowers')}>
      {renderFollower}
    </FederationList>
  )
}
