import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { loadCurrentUser } from '../session.ts'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { showToast } from '../ui/toast.tsx'

type DeletableChannel = { id: number; name: string; displayName: string; followersCount: number }

/** Deletes one of the user's channels after a dialog that lists what is lost and asks for the channel's name; returns whether it did. */
export async function confirmAndDeleteChannel({ id, name, displayName, followersCount }: DeletableChannel): Promise<boolean> {
  try {
    const { total = 0 } = await api('GET /users/me/videos', { query: { channelId: id, count: 0 } })
    const losses = [
      ...(total > 0 ? [t('channels.losesVideos', { count: total })] : []),
      ...(followersCount > 0 ? [t('channels.losesFollowers', { count: followersCount })] : []),
      t('channels.losesName', { name })
    ]
    if (
      !(await openConfirmDialog({
        title: t('channels.removeTitle'),
        text: t('channels.removeText', { name: displayName }),
        points: losses,
        typed: name,
        yes: t('channels.remove')
      }))
    )
      return false
    await api('DELETE /video-channels/:channelHandle', { params: { channelHandle: name } })
    await loadCurrentUser().catch(() => {
      /* the channel is deleted; the menu shows it after the next load */
    })
    showToast(t('channels.removed', { name: displayName }))
    return true
  } catch (error) {
    showToast(error instanceof ApiError && error.status === 409 ? t('channels.last') : apiErrorText(error), { bad: true })
    return false
  }
}
