import type { ComponentChildren, JSX } from 'preact'
import type { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { TextArea, TextField } from '../ui/field.tsx'
import { Notice } from '../ui/feedback.tsx'

/** The editable texts of a channel. */
export type ChannelTexts = { displayName: string; description: string; support: string }

type Props = { texts: ChannelTexts; onChange: (texts: ChannelTexts) => void; problem: ApiError | null; children?: ComponentChildren }

/** The fields for the texts of a channel, with the errors of the last request; `children` are shown below the name. */
export function ChannelFields({ texts, onChange, problem, children }: Props): JSX.Element {
  const fieldError = (name: keyof ChannelTexts, text: string) => (problem && name in problem.fields ? text : null)
  const change = (changes: Partial<ChannelTexts>) => onChange({ ...texts, ...changes })
  return (
    <>
      {problem && problem.status !== 409 && (
        <Notice kind="bad">{Object.keys(problem.fields).length > 0 ? t('edit.check') : apiErrorText(problem)}</Notice>
      )}
      <TextField
        label={t('settings.displayName')}
        required
        maxLength={120}
        value={texts.displayName}
        error={fieldError('displayName', t('channels.displayNameError'))}
        onText={displayName => change({ displayName })}
      />
      {children}
      <TextArea
        label={t('video.description')}
        hint={t('video.markdown')}
        maxLength={1000}
        value={texts.description}
        error={fieldError('description', t('settings.aboutError'))}
        onText={description => change({ description })}
      />
      <TextArea
        label={t('edit.support')}
        hint={t('channels.supportHint')}
        rows={3}
        maxLength={1000}
        value={texts.support}
        error={fieldError('support', t('settings.aboutError'))}
        onText={support => change({ support })}
      />
    </>
  )
}

/** Returns the texts as the API expects them: trimmed, null for an empty description or support text. */
export function trimChannelTexts({ displayName, description, support }: ChannelTexts) {
  return { displayName: displayName.trim(), description: description.trim() || null, support: support.trim() || null }
}
