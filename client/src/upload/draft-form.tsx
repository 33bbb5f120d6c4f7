import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { currentUser } from '../session.ts'
import { Button } from '../ui/button.tsx'
import { Select, TextArea, TextField } from '../ui/field.tsx'
import { Notice } from '../ui/feedback.tsx'
import { PRIVACY_TEXTS } from '../videos/video-labels.ts'
import { isValidVideoTitle, type UploadDraft } from './draft.ts'
import type { UploadItem } from './upload-item.ts'

/** The form for the title, privacy, channel and description of a video that is being uploaded. */
export function DraftForm({ item }: { item: UploadItem }): JSX.Element {
  const draft = item.draft.value
  const [submitted, setSubmitted] = useState(false)
  const change = (changes: Partial<UploadDraft>) => {
    item.draft.value = { ...item.draft.peek(), ...changes }
    if (item.publishing.peek() === 'requested') item.publishing.value = 'notRequested'
  }
  const channels = currentUser.value?.videoChannels ?? []
  const titleValid = isValidVideoTitle(draft.name)
  const passwordMissing = draft.privacy === 5 && draft.password.length < 2
  const publishing = item.publishing.value
  const privacy = PRIVACY_TEXTS.find(([id]) => id === draft.privacy)
  return (
    <form
      class="form"
      onSubmit={event => {
        event.preventDefault()
        setSubmitted(true)
        if (titleValid && !passwordMissing) item.publish()
      }}
    >
      <TextField
        label={t('video.title')}
        value={draft.name}
        required
        minLength={3}
        maxLength={120}
        error={submitted && !titleValid ? t('video.titleError') : null}
        onText={name => change({ name })}
      />
      <div class="form-pair">
        <Select
          label={t('video.privacy')}
          value={String(draft.privacy)}
          options={PRIVACY_TEXTS.map(([id, name]) => [String(id), t(name)])}
          hint={privacy && t(privacy[2])}
          onText={id => change({ privacy: Number(id) })}
        />
        {channels.length > 1 && (
          <Select
            label={t('video.channel')}
            value={String(draft.channelId)}
            options={channels.map(({ id, displayName }) => [String(id), displayName])}
            onText={id => change({ channelId: Number(id) })}
          />
        )}
      </div>
      {draft.privacy === 5 && (
        <TextField
          label={t('video.password')}
          value={draft.password}
          required
          minLength={2}
          maxLength={100}
          autocomplete="off"
          error={submitted && passwordMissing ? t('video.passwordError') : null}
          onText={password => change({ password })}
        />
      )}
      <TextArea
        label={t('video.description')}
        hint={t('video.markdown')}
        value={draft.description}
        maxLength={10_000}
        onText={description => change({ description })}
      />
      {item.error.value && <Notice kind="bad">{t('refusal.other', { reason: item.error.value.message })}</Notice>}
      <div class="form-foot">
        <Button look="primary" type="submit" busy={publishing === 'busy'}>
          {t('upload.publish')}
        </Button>
        <span class="soft small" role="status">
          {publishing === 'requested'
            ? t('upload.willPublish')
            : item.transfer.video.value
              ? t('upload.notYetPublished')
              : t('upload.meanwhile')}
        </span>
      </div>
    </form>
  )
}
