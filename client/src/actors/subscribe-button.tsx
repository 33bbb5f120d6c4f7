import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { currentUser } from '../session.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'

type SubscribableChannel = { name: string; host: string; ownerAccount?: { id: number } }

/** Subscribes to a channel or unsubscribes; guests get a link to the login, the owner of the channel gets no button. */
export function SubscribeButton({ channel }: { channel: SubscribableChannel }): JSX.Element | null {
  const { url } = useLocation()
  const uri = `${channel.name}@${channel.host}`
  const user = currentUser.value
  const { data, change } = useQuery('GET /users/me/subscriptions/exist', user ? { query: { uris: [uri] } } : null)
  const [busy, setBusy] = useState(false)
  if (user && user.account.id === channel.ownerAccount?.id) return null
  if (!user)
    return (
      <ButtonLink look="primary" icon="plus" href={`/login?next=${encodeURIComponent(url)}`}>
        {t('subscribe.do')}
      </ButtonLink>
    )
  const following = data?.[uri] ?? false
  const toggleSubscription = async () => {
    setBusy(true)
    try {
      if (following) await api('DELETE /users/me/subscriptions/:uri', { params: { uri } })
      else await api('POST /users/me/subscriptions', { body: { uri } })
      change({ [uri]: !following })
    } catch (error) {
      showToast(apiErrorText(error), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button
      look={following ? 'plain' : 'primary'}
      icon={following ? 'check' : 'plus'}
      busy={busy || !data}
      aria-pressed={following}
      onClick={() => void toggleSubscription()}
    >
      {t(following ? 'subscribe.done' : 'subscribe.do')}
    </Button>
  )
}
