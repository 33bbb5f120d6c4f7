import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { problemText } from '../api-error-text.ts'
import { loadMe } from '../session.ts'
import { confirm } from '../ui/dialog.tsx'
import { toast } from '../ui/toast.tsx'

type Channel = { id: number; name: string; displayName: string; followersCount: number }

/** Removes an own channel after its owner has read what goes with it and has written its name; true when it is gone. */
export async function removeChannel({ id, name, displayName, followersCount }: Channel): Promise<boolean> {
  try {
    const { total } = await api('GET /users/me/videos', { query: { channelId: id, count: 0 } })
    const points = [
      ...(total > 0 ? [t('channels.losesVideos', { count: total })] : []),
      ...(followersCount > 0 ? [t('channels.losesFollowers', { count: followersCount })] : []),
      t('channels.losesName', { name })
    ]
    if (
      !(await confirm({
        title: t('channels.removeTitle'),
        text: t('channels.removeText', { name: displayName }),
        points,
        typed: name,
        yes: t('channels.remove')
      }))
    )
      return false
    await api('DELETE /video-channels/:channelHandle', { params: { channelHandle: name } })
    await loadMe().catch(() => {
      /* it is gone; the menu learns of it later */
    })
    toast(t('channels.removed', { name: displayName }))
    return true
  } catch (error) {
    toast(error instanceof ApiError && error.status === 409 ? t('channels.last') : problemText(error), { bad: true })
    return false
  }
}
