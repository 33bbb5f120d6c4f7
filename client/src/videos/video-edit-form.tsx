import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { languageName, t } from '../i18n/i18n.ts'
import { currentUser } from '../session.ts'
import { useRouteFromHere } from '../page/route-from-here.ts'
import { Button } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { Select, Switch, TextArea, TextField } from '../ui/field.tsx'
import { Notice } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'
import { useSaveForm } from '../use-save-form.ts'
import { CATEGORY_TEXTS, LICENCE_TEXTS, PRIVACY_TEXTS } from './video-labels.ts'
import { ThumbnailPicker } from './thumbnail-picker.tsx'
import './edit-video.css'

/** The form that edits the metadata of one of the user's videos, or deletes the video. */
export function VideoEditForm({
  video,
  passwords,
  onSaved
}: {
  video: VideoDetails
  passwords: string[]
  onSaved: () => void
}): JSX.Element {
  const { route } = useLocation()
  const routeFromHere = useRouteFromHere()
  const [fields, setFields] = useState(() => toFormFields(video, passwords))
  const [newThumbnail, setNewThumbnail] = useState<File | null>(null)
  const { data: languages } = useQuery('GET /videos/languages', {})
  const { state, problem, changed, submit } = useSaveForm(async () => {
    await api('PUT /videos/:id', {
      params: { id: video.uuid },
      body: toRequestBody(fields),
      files: newThumbnail ? { previewfile: newThumbnail, thumbnailfile: newThumbnail } : undefined
    })
    setNewThumbnail(null)
    showToast(t('edit.saved'), { action: { text: t('edit.watch'), act: () => route(`/w/${video.shortUUID}`) } })
    onSaved()
  })
  const change = (changes: Partial<typeof fields>) => {
    setFields({ ...fields, ...changes })
    changed()
  }
  const confirmAndDelete = async () => {
    if (
      !(await openConfirmDialog({
        title: t('mine.deleteTitle'),
        text: t('mine.deleteText', { name: video.name }),
        yes: t('mine.deleteYes')
      }))
    )
      return
    try {
      await api('DELETE /videos/:id', { params: { id: video.uuid } })
      routeFromHere('/my/videos', true)
      showToast(t('mine.deleted', { name: video.name }))
    } catch {
      showToast(t('ui.noConnection'), { bad: true })
    }
  }

  const fieldError = (name: string, text: string) => (problem && name in problem.fields ? text : null)
  const channels = currentUser.value?.videoChannels ?? []
  const privacy = PRIVACY_TEXTS.find(([id]) => id === fields.privacy)
  const noneOption: [string, string] = ['', t('edit.none')]
  const languageOptions = Object.entries(languages ?? {})
    .map(([code, label]): [string, string] => [code, languageName(code, label)])
    .sort(([, a], [, b]) => a.localeCompare(b))
  return (
    <form class="form" onSubmit={event => void submit(event)}>
      {problem && (
        <Notice kind="bad">
          {problem.status === 0
            ? t('ui.noConnection')
            : Object.keys(problem.fields).length > 0
              ? t('edit.check')
              : t('refusal.other', { reason: problem.message })}
        </Notice>
      )}
      <ThumbnailPicker
        video={video}
        picked={newThumbnail}
        onPick={file => {
          setNewThumbnail(file)
          changed()
        }}
        error={fieldError('thumbnailfile', t('edit.pictureError')) ?? fieldError('previewfile', t('edit.pictureError'))}
      />
      <TextField
        label={t('video.title')}
        required
        minLength={3}
        maxLength={120}
        value={fields.name}
        error={fieldError('name', t('video.titleError'))}
        onText={name => change({ name })}
      />
      <TextArea
        label={t('video.description')}
        hint={t('video.markdown')}
        rows={7}
        maxLength={10_000}
        value={fields.description}
        error={fieldError('description', t('settings.aboutError'))}
        onText={description => change({ description })}
      />
      <div class="form-pair">
        <Select
          label={t('video.privacy')}
          value={String(fields.privacy)}
          options={PRIVACY_TEXTS.map(([id, name]) => [String(id), t(name)])}
          hint={privacy && t(privacy[2])}
          onText={id => change({ privacy: Number(id) })}
        />
        {channels.some(({ id }) => id === fields.channelId) && (
          <Select
            label={t('video.channel')}
            value={String(fields.channelId)}
            options={channels.map(({ id, displayName }) => [String(id), displayName])}
            onText={id => change({ channelId: Number(id) })}
          />
        )}
      </div>
      {fields.privacy === 5 && (
        <TextArea
          label={t('edit.passwords')}
          hint={t('edit.passwordsHint')}
          rows={3}
          required
          value={fields.passwords}
          error={fieldError('videoPasswords', t('video.passwordError'))}
          onText={text => change({ passwords: text })}
        />
      )}
      <TextField
        label={t('video.tags')}
        hint={t('edit.tagsHint')}
        value={fields.tags}
        error={fieldError('tags', t('edit.tagsError'))}
        onText={tags => change({ tags })}
      />
      <div class="form-pair">
        <Select
          label={t('video.category')}
          value={fields.category}
          options={[noneOption, ...Object.entries(CATEGORY_TEXTS).map(([id, name]): [string, string] => [id, t(name)])]}
          onText={category => change({ category })}
        />
        <Select
          label={t('video.language')}
          value={fields.language}
          options={[
            noneOption,
            ...(languageOptions.length > 0 || fields.language === ''
              ? languageOptions
              : [[fields.language, languageName(fields.language)] as [string, string]])
          ]}
          onText={language => change({ language })}
        />
      </div>
      <Select
        label={t('video.licence')}
        value={fields.licence}
        options={[noneOption, ...Object.entries(LICENCE_TEXTS).map(([id, name]): [string, string] => [id, t(name)])]}
        onText={licence => change({ licence })}
      />
      <TextField
        label={t('video.originally')}
        type="date"
        value={fields.originallyPublishedAt}
        onText={originallyPublishedAt => change({ originallyPublishedAt })}
      />
      <TextArea
        label={t('edit.support')}
        hint={t('edit.supportHint')}
        rows={3}
        maxLength={1000}
        value={fields.support}
        error={fieldError('support', t('settings.aboutError'))}
        onText={support => change({ support })}
      />
      <Switch label={t('edit.sensitive')} hint={t('edit.sensitiveHint')} checked={fields.nsfw} onChecked={nsfw => change({ nsfw })} />
      <Switch label={t('edit.download')} checked={fields.downloadEnabled} onChecked={downloadEnabled => change({ downloadEnabled })} />
      <div class="form-foot edit-foot">
        <Button look="primary" type="submit" busy={state === 'busy'}>
          {t('ui.save')}
        </Button>
        <span class="soft small" role="status">
          {state === 'changed' ? t('edit.unsaved') : ''}
        </span>
        <Button class="edit-delete" look="quiet" icon="trash" onClick={() => void confirmAndDelete()}>
          {t('mine.deleteYes')}
        </Button>
      </div>
    </form>
  )
}

function toFormFields(video: VideoDetails, passwords: string[]) {
  return {
    name: video.name,
    description: video.description ?? '',
    support: video.support ?? '',
    privacy: Number(video.privacy.id),
    channelId: video.channel.id,
    passwords: passwords.join('\n'),
    tags: video.tags.join(', '),
    category: String(video.category.id ?? ''),
    licence: String(video.licence.id ?? ''),
    language: String(video.language.id ?? ''),
    originallyPublishedAt: video.originallyPublishedAt?.slice(0, 10) ?? '',
    nsfw: video.nsfw,
    downloadEnabled: video.downloadEnabled
  }
}

function toRequestBody(fields: ReturnType<typeof toFormFields>) {
  const {
    name,
    description,
    support,
    privacy,
    channelId,
    passwords,
    tags,
    category,
    licence,
    language,
    originallyPublishedAt,
    nsfw,
    downloadEnabled
  } = fields
  const toNumberOrNull = (text: string) => (text === '' ? null : Number(text))
  return {
    name: name.trim(),
    description: description.trim() || null,
    support: support.trim() || null,
    privacy,
    channelId,
    nsfw,
    downloadEnabled,
    tags: tags
      .split(',')
      .map(tag => tag.trim())
      .filter((tag, index, all) => tag !== '' && all.indexOf(tag) === index),
    category: toNumberOrNull(category),
    licence: toNumberOrNull(licence),
    language: language || null,
    originallyPublishedAt: originallyPublishedAt === '' ? null : new Date(`${originallyPublishedAt}T00:00:00Z`),
    ...(privacy === 5
      ? {
          videoPasswords: passwords
            .split('\n')
            .map(line => line.trim())
            .filter(Boolean)
        }
      : {})
  }
}
