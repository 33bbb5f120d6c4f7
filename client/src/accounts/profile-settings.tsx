import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { User } from '../../../shared/accounts.ts'
import { api } from '../api.ts'
import { imageErrorText } from '../image-error-text.ts'
import { actorImageMaxSizes } from '../instance/config.ts'
import { formatPercent, formatSize, t } from '../i18n/i18n.ts'
import { loadCurrentUser } from '../session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { TextArea, TextField } from '../ui/field.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Notice } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'
import { PasswordField } from './password-field.tsx'
import { DeleteAccount } from './delete-account.tsx'
import { settingsErrorText } from './settings-error-text.ts'

/** The profile of the logged-in user: avatar, display name, description, email address and the storage in use. */
export function ProfileSettings({ user }: { user: User }): JSX.Element {
  const [displayName, setDisplayName] = useState(user.account.displayName)
  const [description, setDescription] = useState(user.account.description ?? '')
  const [email, setEmail] = useState(user.email)
  const [currentPassword, setCurrentPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const emailChanged = email !== user.email

  const save = async (event: Event) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setProblem(null)
    try {
      await api('PUT /users/me', {
        body: {
          displayName: displayName.trim(),
          description: description.trim() || null,
          ...(emailChanged ? { email, currentPassword } : {})
        }
      })
      await loadCurrentUser()
      setCurrentPassword('')
      showToast(t('settings.saved'))
    } catch (error) {
      setProblem(settingsErrorText(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="form">
      <AvatarSettings user={user} />
      <form class="form" onSubmit={event => void save(event)}>
        {problem && <Notice kind="bad">{problem}</Notice>}
        <TextField label={t('settings.displayName')} required maxLength={120} value={displayName} onText={setDisplayName} />
        <TextArea
          label={t('settings.about')}
          hint={t('video.markdown')}
          minLength={3}
          maxLength={1000}
          value={description}
          onText={setDescription}
        />
        <TextField label={t('signup.email')} type="email" autocomplete="email" required value={email} onText={setEmail} />
        {emailChanged && (
          <PasswordField
            label={t('settings.currentPassword')}
            hint={t('settings.emailPassword')}
            autocomplete="current-password"
            value={currentPassword}
            onText={setCurrentPassword}
          />
        )}
        <div class="form-foot">
          <Button look="primary" type="submit" busy={busy}>
            {t('ui.save')}
          </Button>
        </div>
      </form>
      <StorageUse user={user} />
      {user.username !== 'root' && <DeleteAccount user={user} />}
    </div>
  )
}

function AvatarSettings({ user }: { user: User }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const saveAvatar = async (request: () => Promise<unknown>) => {
    setBusy(true)
    try {
      await request()
      await loadCurrentUser()
    } catch (error) {
      showToast(imageErrorText(error, actorImageMaxSizes()?.avatar ?? null), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="row settings-picture">
      <Avatar of={user.account} size="l" />
      <div class="stack">
        <div class="row">
          <Button icon="image" busy={busy} onClick={() => input.current!.click()}>
            {t('settings.picture')}
          </Button>
          {user.account.avatars.length > 0 && (
            <Button look="quiet" onClick={() => void saveAvatar(async () => await api('DELETE /users/me/avatar'))}>
              {t('settings.pictureAway')}
            </Button>
          )}
        </div>
        <p class="soft small">{t('settings.handle', { name: user.username })}</p>
      </div>
      <input
        ref={input}
        class="hidden-text"
        type="file"
        tabIndex={-1}
        accept="image/png,image/jpeg,image/webp,image/gif"
        aria-label={t('settings.picture')}
        onChange={event => {
          const file = event.currentTarget.files?.[0]
          event.currentTarget.value = ''
          if (file) void saveAvatar(async () => await api('POST /users/me/avatar/pick', { files: { avatarfile: file } }))
        }}
      />
    </div>
  )
}

function StorageUse({ user }: { user: User }): JSX.Element | null {
  const { data } = useQuery('GET /users/me/video-quota-used', {})
  if (!data) return null
  if (user.videoQuota < 0) return <p class="soft">{t('settings.spaceUsed', { size: formatSize(data.videoQuotaUsed) })}</p>
  const share = user.videoQuota === 0 ? 1 : data.videoQuotaUsed / user.videoQuota
  return (
    <div class="stack">
      <p class="soft">
        {t('settings.spaceOf', { size: formatSize(data.videoQuotaUsed), all: formatSize(user.videoQuota), percent: formatPercent(share) })}
      </p>
      <ProgressBar share={share} label={t('settings.space')} />
    </div>
  )
}
