import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { captionTrackName, type CaptionTrack } from '../player/caption-tracks.ts'
import { IconButton } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'
import './edit-video.css'

/** The subtitles of one of the user's videos, of every kind, to delete; nothing where it has none. */
export function VideoCaptions({ id }: { id: string }): JSX.Element | null {
  const { data, reload } = useQuery('GET /videos/:id/caption-tracks', { params: { id } })
  const [busy, setBusy] = useState(false)
  const remove = async (track: CaptionTrack) => {
    const title = t('edit.deleteCaptions', { track: captionTrackName(track) })
    if (!(await openConfirmDialog({ title, text: t('edit.deleteCaptionsText'), yes: t('mine.deleteYes') }))) return
    setBusy(true)
    try {
      await api('DELETE /videos/:id/captions/:captionLanguage', {
        params: { id, captionLanguage: track.language.id },
        query: { kind: track.kind }
      })
      showToast(t('edit.captionsDeleted'))
    } catch {
      showToast(t('ui.noConnection'), { bad: true })
    } finally {
      setBusy(false)
      reload()
    }
  }
  if (!data || data.total === 0) return null
  return (
    <section class="edit-captions" aria-labelledby="edit-captions">
      <h2 id="edit-captions">{t('player.captions')}</h2>
      <ul role="list">
        {data.data.map(track => (
          <li key={track.captionPath}>
            <span>
              {captionTrackName(track)} {track.automaticallyGenerated && <span class="soft small">{t('player.captionsAuto')}</span>}
            </span>
            <IconButton
              icon="trash"
              label={t('edit.deleteCaptions', { track: captionTrackName(track) })}
              disabled={busy}
              onClick={() => void remove(track)}
            />
          </li>
        ))}
      </ul>
    </section>
  )
}
