import type { ComponentChildren, JSX } from 'preact'
import type { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { TextArea, TextField } from '../ui/field.tsx'
import { Notice } from '../ui/feedback.tsx'

/** What its owner writes about a channel. */
export type ChannelTexts = { displayName: string; description: string; support: string }

type Props = { words: ChannelTexts; onWords: (words: ChannelTexts) => void; problem: ApiError | null; children?: ComponentChildren }

/** The fields of a channel's words, with what the server found wrong with them; `children` stand below the name. */
export function ChannelFields({ words, onWords, problem, children }: Props): JSX.Element {
  const wrong = (name: keyof ChannelTexts, text: string) => (problem && name in problem.fields ? text : null)
  const change = (part: Partial<ChannelTexts>) => onWords({ ...words, ...part })
  return (
    <>
      {problem && problem.status !== 409 && (
        <Notice kind="bad">{Object.keys(problem.fields).length > 0 ? t('edit.check') : apiErrorText(problem)}</Notice>
      )}
      <TextField
        label={t('settings.displayName')}
        required
        maxLength={120}
        value={words.displayName}
        error={wrong('displayName', t('channels.displayNameError'))}
        onText={displayName => change({ displayName })}
      />
      {children}
      <TextArea
        label={t('video.description')}
        hint={t('video.markdown')}
        maxLength={1000}
        value={words.description}
        error={wrong('description', t('settings.aboutError'))}
        onText={description => change({ description })}
      />
      <TextArea
        label={t('edit.support')}
        hint={t('channels.supportHint')}
        rows={3}
        maxLength={1000}
        value={words.support}
        error={wrong('support', t('settings.aboutError'))}
        onText={support => change({ support })}
      />
    </>
  )
}

/** The words as the server takes them: without the space around them, and nothing where nothing is written. */
export function trimChannelTexts({ displayName, description, support }: ChannelTexts) {
  return { displayName: displayName.trim(), description: description.trim() || null, support: support.trim() || null }
}
