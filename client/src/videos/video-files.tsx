import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { formatSize, t } from '../i18n/i18n.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { showToast } from '../ui/toast.tsx'
import './video-files.css'

type VideoFile = VideoDetails['files'][number]

/** The files of a video for administrators, who may remove one, or all of a kind. */
export default function VideoFiles({ video, onChange }: { video: VideoDetails; onChange: () => void }): JSX.Element | null {
  const kinds = [
    { form: 'hls', name: 'HLS', files: video.streamingPlaylists.flatMap(playlist => playlist.files) },
    { form: 'web-videos', name: 'MP4', files: video.files.filter(file => !file.isOriginal) }
  ] as const
  if (kinds.every(({ files }) => files.length === 0)) return null
  return (
    <section class="video-files" aria-labelledby="video-files">
      <h2 id="video-files">{t('files.name')}</h2>
      {kinds
        .filter(({ files }) => files.length > 0)
        .map(({ form, name, files }) => (
          <FilesOfKind key={form} {...{ form, name, files, onChange }} id={video.uuid} />
        ))}
    </section>
  )
}

function FilesOfKind({
  form,
  name,
  files,
  id,
  onChange
}: {
  form: 'hls' | 'web-videos'
  name: string
  files: VideoFile[]
  id: string
  onChange: () => void
}): JSX.Element {
  const [busy, setBusy] = useState(false)
  const remove = async (what: string, request: () => Promise<unknown>) => {
    if (!(await openConfirmDialog({ title: t('files.removeTitle', { what }), text: t('files.removeText'), yes: t('files.removeYes') })))
      return
    setBusy(true)
    try {
      await request()
      showToast(t('files.removed'))
      onChange()
    } catch (error) {
      const isRefused = error instanceof ApiError && error.status === 400
      showToast(t(isRefused ? 'files.refused' : 'ui.noConnection'), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  const removeAll = async () =>
    await (form === 'hls' ? api('DELETE /videos/:id/hls', { params: { id } }) : api('DELETE /videos/:id/web-videos', { params: { id } }))
  const removeOne = async (fileId: number) => {
    const params = { id, fileId }
    await (form === 'hls' ? api('DELETE /videos/:id/hls/:fileId', { params }) : api('DELETE /videos/:id/web-videos/:fileId', { params }))
  }
  return (
    <div>
      <div class="video-files-head">
        <h3>{name}</h3>
        <Button icon="trash" look="quiet" busy={busy} onClick={() => void remove(t('files.all', { kind: name }), removeAll)}>
          {t('files.removeAll', { kind: name })}
        </Button>
      </div>
      <ul role="list">
        {files.map(file => {
          const quality = file.hasVideo ? file.resolution.label : t('player.soundOnly')
          const label = `${name} ${quality}`
          return (
            <li key={file.id}>
              <span>
                {quality} <span class="soft small">{formatSize(file.size)}</span>
              </span>
              <IconButton
                icon="trash"
                label={t('files.remove', { file: label })}
                disabled={busy}
                onClick={() => void remove(label, async () => await removeOne(file.id))}
              />
            </li>
          )
        })}
      </ul>
    </div>
  )
}
