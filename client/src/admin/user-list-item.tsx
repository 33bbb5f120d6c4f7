import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { isNotFoundError } from '../api-error.ts'
import { formatAge, formatSize, t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { Menu, type MenuItem } from '../ui/menu.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Badge } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { BlockForm } from './block-form.tsx'
import { UserForm } from './user-form.tsx'
import { permissionsOverUser, USER_ROLE_IDS } from './user-permissions.ts'

/** A user in the list: role, state, storage in use, and the actions that the viewer is permitted. */
export function UserListItem({ viewer, user, onChange }: { viewer: User; user: User; onChange: () => void }): JSX.Element {
  const [openDialog, setOpenDialog] = useState<'edit' | 'block' | null>(null)
  const { id, username, account, email, role, blocked, blockedReason, createdAt, lastLoginDate } = user
  const params = { id }
  const permissions = permissionsOverUser(viewer, user)
  const runAction = async (request: () => Promise<unknown>, successText: string) => {
    try {
      // Already done by another moderator: not an error.
      await request().catch((error: unknown) => {
        if (!isNotFoundError(error)) throw error
      })
      showToast(successText)
    } catch (error) {
      showToast(apiErrorText(error), { bad: true })
    }
    onChange()
  }
  const remove = async () => {
    if (await openConfirmDialog({ title: t('users.deleteTitle', { name: username }), text: t('users.deleteText'), yes: t('users.delete') }))
      await runAction(async () => await api('DELETE /users/:id', { params }), t('users.deleted', { name: username }))
  }
  const closeAndRefresh = () => {
    setOpenDialog(null)
    onChange()
  }
  const items: MenuItem[] = [
    ...(permissions.block
      ? [
          blocked
            ? ({
                kind: 'action',
                text: t('users.unblock'),
                icon: 'check',
                act: () =>
                  void runAction(async () => await api('POST /users/:id/unblock', { params }), t('users.unblocked', { name: username }))
              } as const)
            : ({ kind: 'action', text: t('users.block'), icon: 'lock', act: () => setOpenDialog('block') } as const)
        ]
      : []),
    ...(permissions.remove
      ? [{ kind: 'action', text: t('users.delete'), icon: 'trash', danger: true, act: () => void remove() } as const]
      : [])
  ]
  return (
    <li class="user">
      <Avatar of={account} />
      <div class="user-words">
        <p class="user-name">
          <a href={`/a/${account.name}`}>
            <strong>{account.displayName}</strong>
          </a>{' '}
          <span class="soft">@{username}</span>{' '}
          {role.id !== USER_ROLE_IDS.user && (
            <Badge kind="accent">{t(role.id === USER_ROLE_IDS.administrator ? 'users.administrator' : 'users.moderator')}</Badge>
          )}{' '}
          {blocked && <Badge kind="bad">{t('users.blocked')}</Badge>}
        </p>
        <p class="soft small">
          {email} · {t('users.since', { age: formatAge(createdAt) })} ·{' '}
          {lastLoginDate ? t('users.seen', { age: formatAge(lastLoginDate) }) : t('users.neverSeen')}
        </p>
        {blocked && blockedReason && <p class="small">{t('users.because', { reason: blockedReason })}</p>}
        <StorageUse user={user} />
      </div>
      <div class="user-acts">
        {permissions.edit && (
          <Button icon="edit" aria-label={t('users.editOf', { name: username })} onClick={() => setOpenDialog('edit')}>
            {t('ui.edit')}
          </Button>
        )}
        {items.length > 0 && (
          <Menu
            label={t('mine.actions', { name: username })}
            items={items}
            trigger={props => <IconButton label={t('mine.actions', { name: username })} icon="more" {...props} />}
          />
        )}
      </div>
      {openDialog === 'edit' && <UserForm viewer={viewer} user={user} onClose={() => setOpenDialog(null)} onDone={closeAndRefresh} />}
      {openDialog === 'block' && <BlockForm user={user} onClose={() => setOpenDialog(null)} onDone={closeAndRefresh} />}
    </li>
  )
}

function StorageUse({ user: { username, videoQuota, videoQuotaUsed = 0 } }: { user: User }): JSX.Element {
  if (videoQuota < 0) return <p class="small">{t('users.spaceUsed', { size: formatSize(videoQuotaUsed) })}</p>
  return (
    <div class="user-space">
      <p class="small">{t('users.spaceOf', { size: formatSize(videoQuotaUsed), all: formatSize(videoQuota) })}</p>
      <ProgressBar share={videoQuota === 0 ? 1 : videoQuotaUsed / videoQuota} label={t('users.spaceName', { name: username })} />
    </div>
  )
}
