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

const PASSWORD = 5
const SHORTEST_PASSWORD = 2

type Props = { selection: ListSelection; shown: { id: number; name: string }[] }

/** What can be done to the chosen videos of a list; it stays in view while some are chosen. */
export function BulkActionBar({ selection, shown }: Props): JSX.Element {
  const [asking, setAsking] = useState(false)
  const chosen = shown.filter(({ id }) => selection.has(id))
  const count = chosen.length
  const busy = currentBulkAction.value?.running === true
  return (
    <div class={`bulk ${count > 0 ? 'bulk-on' : ''}`} role="group" aria-label={t('bulk.name')}>
      <Checkbox
        label={t('bulk.all')}
        hidden={count > 0}
        checked={count > 0 && count === shown.length}
        some={count > 0 && count < shown.length}
        disabled={busy}
        onChecked={selection.chooseAll}
      />
      <span class={count > 0 ? 'bulk-count' : 'hidden-text'} role="status">
        {count > 0 ? t('bulk.chosen', { count }) : ''}
      </span>
      {count > 0 && <IconButton label={t('bulk.none')} icon="close" disabled={busy} onClick={() => selection.chooseAll(false)} />}
      {count > 0 && (
        <div class="bulk-acts">
          <Button icon="lock" disabled={busy} onClick={() => setAsking(true)}>
            {t('video.privacy')}
          </Button>
          <Button class="bulk-delete" icon="trash" disabled={busy} onClick={() => void confirmAndDeleteVideos(chosen)}>
            {t('mine.deleteYes')}
          </Button>
        </div>
      )}
      {asking && (
        <PrivacyDialog
          count={count}
          onClose={() => setAsking(false)}
          onChoose={(privacy, passwords) => {
            setAsking(false)
            void startBulkAction({ kind: 'privacy', privacy, passwords }, chosen)
          }}
        />
      )}
    </div>
  )
}

/** Asks once for all of them, and deletes them. */
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

/** How far it is, and what did not work. */
export function BulkActionReport(): JSX.Element | null {
  const state = currentBulkAction.value
  if (!state) return null
  const { act, all, done, failed, running } = state
  const handled = done + failed.length
  return (
    <section class="bulk-report" aria-label={t('bulk.progress')}>
      {running && (
        <div class="bulk-running">
          <span>{t(act.kind === 'delete' ? 'bulk.deleting' : 'bulk.changing', { done: handled, all })}</span>
          <ProgressBar share={handled / all} label={t('bulk.progress')} />
          <Button look="quiet" onClick={stopBulkAction}>
            {t('bulk.stop')}
          </Button>
        </div>
      )}
      {!running && failed.length > 0 && (
        <Notice kind="bad">
          <p>{t('bulk.failed', { count: failed.length, done, all })}</p>
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
    privacy === PASSWORD
      ? text
          .split('\n')
          .map(one => one.trim())
          .filter(Boolean)
      : []
  const ready = privacy !== PASSWORD || (passwords.length > 0 && passwords.every(({ length }) => length >= SHORTEST_PASSWORD))
  return (
    <Dialog
      title={t('bulk.privacyTitle', { count })}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look="primary" disabled={!ready} onClick={() => onChoose(privacy, passwords)}>
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
        {privacy === PASSWORD && (
          <TextArea
            label={t('edit.passwords')}
            hint={t('edit.passwordsHint')}
            error={text !== '' && !ready ? t('video.passwordError') : null}
            rows={3}
            value={text}
            onText={setText}
          />
        )}
      </div>
    </Dialog>
  )
}
