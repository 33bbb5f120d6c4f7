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

/** Title, audience, channel and description of a video that is on its way. */
export function DraftForm({ item }: { item: UploadItem }): JSX.Element {
  const draft = item.draft.value
  const [tried, setTried] = useState(false)
  const change = (part: Partial<UploadDraft>) => {
    item.draft.value = { ...item.draft.peek(), ...part }
    if (item.publishing.peek() === 'wanted') item.publishing.value = 'open'
  }
  const channels = currentUser.value?.videoChannels ?? []
  const named = isValidVideoTitle(draft.name)
  const locked = draft.privacy === 5 && draft.password.length < 2
  const state = item.publishing.value
  const privacy = PRIVACY_TEXTS.find(([id]) => id === draft.privacy)
  return (
    <form
      class="form"
      onSubmit={event => {
        event.preventDefault()
        setTried(true)
        if (named && !locked) item.publish()
      }}
    >
      <TextField
        label={t('video.title')}
        value={draft.name}
        required
        minLength={3}
        maxLength={120}
        error={tried && !named ? t('video.titleError') : null}
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
          error={tried && locked ? t('video.passwordError') : null}
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
      {item.problem.value && <Notice kind="bad">{t('refusal.other', { reason: item.problem.value.message })}</Notice>}
      <div class="form-foot">
        <Button look="primary" type="submit" busy={state === 'busy'}>
          {t('upload.publish')}
        </Button>
        <span class="soft small" role="status">
          {state === 'wanted' ? t('upload.willPublish') : item.transfer.video.value ? t('upload.notYetPublished') : t('upload.meanwhile')}
        </span>
      </div>
    </form>
  )
}
