import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { languageName, t } from '../i18n/i18n.ts'
import { currentUser } from '../session.ts'
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

/** The metadata of an own video, to change and to save; or the whole video, to delete. */
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
  const [fields, setFields] = useState(() => fieldsOf(video, passwords))
  const [picture, setPicture] = useState<File | null>(null)
  const { data: languages } = useQuery('GET /videos/languages', {})
  const { state, problem, changed, submit } = useSaveForm(async () => {
    await api('PUT /videos/:id', {
      params: { id: video.uuid },
      body: bodyOf(fields),
      files: picture ? { previewfile: picture, thumbnailfile: picture } : undefined
    })
    setPicture(null)
    showToast(t('edit.saved'), { action: { text: t('edit.watch'), act: () => route(`/w/${video.shortUUID}`) } })
    onSaved()
  })
  const change = (part: Partial<typeof fields>) => {
    setFields({ ...fields, ...part })
    changed()
  }
  const remove = async () => {
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
      route('/my/videos', true)
      showToast(t('mine.deleted', { name: video.name }))
    } catch {
      showToast(t('ui.noConnection'), { bad: true })
    }
  }

  const wrong = (name: string, text: string) => (problem && name in problem.fields ? text : null)
  const channels = currentUser.value?.videoChannels ?? []
  const privacy = PRIVACY_TEXTS.find(([id]) => id === fields.privacy)
  const none: [string, string] = ['', t('edit.none')]
  const names = Object.keys(languages ?? {})
    .map((code): [string, string] => [code, languageName(code)])
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
        picked={picture}
        onPick={file => {
          setPicture(file)
          changed()
        }}
        error={wrong('thumbnailfile', t('edit.pictureError')) ?? wrong('previewfile', t('edit.pictureError'))}
      />
      <TextField
        label={t('video.title')}
        required
        minLength={3}
        maxLength={120}
        value={fields.name}
        error={wrong('name', t('video.titleError'))}
        onText={name => change({ name })}
      />
      <TextArea
        label={t('video.description')}
        hint={t('video.markdown')}
        rows={7}
        maxLength={10_000}
        value={fields.description}
        error={wrong('description', t('settings.aboutError'))}
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
          error={wrong('videoPasswords', t('video.passwordError'))}
          onText={text => change({ passwords: text })}
        />
      )}
      <TextField
        label={t('video.tags')}
        hint={t('edit.tagsHint')}
        value={fields.tags}
        error={wrong('tags', t('edit.tagsError'))}
        onText={tags => change({ tags })}
      />
      <div class="form-pair">
        <Select
          label={t('video.category')}
          value={fields.category}
          options={[none, ...Object.entries(CATEGORY_TEXTS).map(([id, name]): [string, string] => [id, t(name)])]}
          onText={category => change({ category })}
        />
        <Select
          label={t('video.language')}
          value={fields.language}
          options={[
            none,
            ...(names.length > 0 || fields.language === '' ? names : [[fields.language, languageName(fields.language)] as [string, string]])
          ]}
          onText={language => change({ language })}
        />
      </div>
      <Select
        label={t('video.licence')}
        value={fields.licence}
        options={[none, ...Object.entries(LICENCE_TEXTS).map(([id, name]): [string, string] => [id, t(name)])]}
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
        error={wrong('support', t('settings.aboutError'))}
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
        <Button class="edit-delete" look="quiet" icon="trash" onClick={() => void remove()}>
          {t('mine.deleteYes')}
        </Button>
      </div>
    </form>
  )
}

function fieldsOf(video: VideoDetails, passwords: string[]) {
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

function bodyOf(fields: ReturnType<typeof fieldsOf>) {
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
  const number = (text: string) => (text === '' ? null : Number(text))
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
    category: number(category),
    licence: number(licence),
    language: language || null,
    originallyPublishedAt: originallyPublishedAt === '' ? null : new Date(`${originallyPublishedAt}T00:00:00Z`),
    ...(privacy === 5
      ? {
          videoPasswords: passwords
            .split('\n')
            .map(one => one.trim())
            .filter(Boolean)
        }
      : {})
  }
}
