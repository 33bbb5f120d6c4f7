import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Dialog, openConfirmDialog } from '../ui/dialog.tsx'
import { Checkbox, Select, TextArea } from '../ui/field.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Notice } from '../ui/feedback.tsx'
import { currentBulkAction, retryBulkAction, startBulkAction, stopBulkAction } from './bulk-actions.ts'
import { PRIVACY_TEXTS } from './video-labels.ts'
import type { ListSelection } from './use-selection.ts'

const PASSWORD_PRIVACY_ID = 5
const MIN_PASSWORD_LENGTH = 2

type Props = { selection: ListSelection; videos: { id: number; name: string }[] }

/** The actions for the selected videos of a list; stays in view while some are selected. */
export function BulkActionBar({ selection, videos }: Props): JSX.Element {
  const [choosingPrivacy, setChoosingPrivacy] = useState(false)
  const chosen = videos.filter(({ id }) => selection.has(id))
  const count = chosen.length
  const busy = currentBulkAction.value?.running === true
  return (
    <div class={`bulk ${count > 0 ? 'bulk-on' : ''}`} role="group" aria-label={t('bulk.name')}>
      <Checkbox
        label={t('bulk.all')}
        hidden={count > 0}
        checked={count > 0 && count === videos.length}
        some={count > 0 && count < videos.length}
        disabled={busy}
        onChecked={selection.chooseAll}
      />
      <span class={count > 0 ? 'bulk-count' : 'hidden-text'} role="status">
        {count > 0 ? t('bulk.chosen', { count }) : ''}
      </span>
      {count > 0 && <IconButton label={t('bulk.none')} icon="close" disabled={busy} onClick={() => selection.chooseAll(false)} />}
      {count > 0 && (
        <div class="bulk-acts">
          <Button icon="lock" disabled={busy} onClick={() => setChoosingPrivacy(true)}>
            {t('video.privacy')}
          </Button>
          <Button class="bulk-delete" icon="trash" disabled={busy} onClick={() => void confirmAndDeleteVideos(chosen)}>
            {t('mine.deleteYes')}
          </Button>
        </div>
      )}
      {choosingPrivacy && (
        <PrivacyDialog
          count={count}
          onClose={() => setChoosingPrivacy(false)}
          onChoose={(privacy, passwords) => {
            setChoosingPrivacy(false)
            void startBulkAction({ kind: 'privacy', privacy, passwords }, chosen)
          }}
        />
      )}
    </div>
  )
}

/** Deletes several videos after one confirmation. */
export async function confirmAndDeleteVideos(chosen: { id: number; name: string }[]): Promise<void> {
  if (
    await openConfirmDialog({
      title: t('bulk.deleteTitle', { count: chosen.length }),
      text: t('bulk.deleteText'),
      yes: t('mine.deleteYes')
    })
  )
    await startBulkAction({ kind: 'delete' }, chosen)
}

/** The progress of the running bulk action, or the videos for which it failed; null if there is neither. */
export function BulkActionReport(): JSX.Element | null {
  const state = currentBulkAction.value
  if (!state) return null
  const { action, total, done, failed, running } = state
  const processed = done + failed.length
  return (
    <section class="bulk-report" aria-label={t('bulk.progress')}>
      {running && (
        <div class="bulk-running">
          <span>{t(action.kind === 'delete' ? 'bulk.deleting' : 'bulk.changing', { done: processed, all: total })}</span>
          <ProgressBar share={processed / total} label={t('bulk.progress')} />
          <Button look="quiet" onClick={stopBulkAction}>
            {t('bulk.stop')}
          </Button>
        </div>
      )}
      {!running && failed.length > 0 && (
        <Notice kind="bad">
          <p>{t('bulk.failed', { count: failed.length, done, all: total })}</p>
          <ul class="bulk-failed">
            {failed.map(({ id, name, reason }) => (
              <li key={id}>
                <strong>{name}</strong> · {reason}
              </li>
            ))}
          </ul>
          <div class="row">
            <Button icon="replay" onClick={retryBulkAction}>
              {t('ui.retry')}
            </Button>
            <Button
              look="quiet"
              onClick={() => {
                currentBulkAction.value = null
              }}
            >
              {t('ui.close')}
            </Button>
          </div>
        </Notice>
      )}
    </section>
  )
}

function PrivacyDialog({
  count,
  onClose,
  onChoose
}: {
  count: number
  onClose: () => void
  onChoose: (privacy: number, passwords: string[]) => void
}): JSX.Element {
  const [privacy, setPrivacy] = useState(1)
  const [text, setText] = useState('')
  const passwords =
    privacy === PASSWORD_PRIVACY_ID
      ? text
          .split('\n')
          .map(line => line.trim())
          .filter(Boolean)
      : []
  const valid = privacy !== PASSWORD_PRIVACY_ID || (passwords.length > 0 && passwords.every(({ length }) => length >= MIN_PASSWORD_LENGTH))
  return (
    <Dialog
      title={t('bulk.privacyTitle', { count })}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look="primary" disabled={!valid} onClick={() => onChoose(privacy, passwords)}>
            {t('bulk.change')}
          </Button>
        </>
      }
    >
      <div class="form">
        <Select
          label={t('video.privacy')}
          value={String(privacy)}
          options={PRIVACY_TEXTS.map(([id, name]) => [String(id), t(name)])}
          hint={t(PRIVACY_TEXTS.find(([id]) => id === privacy)![2])}
          onText={id => setPrivacy(Number(id))}
        />
        {privacy === PASSWORD_PRIVACY_ID && (
          <TextArea
            label={t('edit.passwords')}
            hint={t('edit.passwordsHint')}
            error={text !== '' && !valid ? t('video.passwordError') : null}
            rows={3}
            value={text}
            onText={setText}
          />
        )}
      </div>
    </Dialog>
  )
}
