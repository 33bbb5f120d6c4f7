import type { JSX } from 'preact'
import { api, type ApiResponse } from '../api.ts'
import { formatPercent, formatSize, t } from '../i18n/i18n.ts'
import { IconButton } from '../ui/button.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { uploadQueue } from './upload-queue.ts'
import { deleteSavedUpload } from './saved-uploads.ts'

type Upload = ApiResponse<'GET /users/me/uploads'>['data'][number]

/** Uploads that were interrupted: choosing the same file goes on where they stopped. */
export function UnfinishedUploads({ uploads, onGone }: { uploads: Upload[]; onGone: () => void }): JSX.Element | null {
  const running = new Set(uploadQueue.value.map(({ file }) => `${file.name} ${file.size}`))
  const waiting = uploads.filter(({ filename, size }) => !running.has(`${filename} ${size}`))
  if (waiting.length === 0) return null
  const drop = async (uploadId: string) => {
    deleteSavedUpload(uploadId)
    await api('DELETE /videos/upload-resumable', { query: { upload_id: uploadId } }).catch(() => {
      /* the server sweeps it after some days */
    })
    onGone()
  }
  return (
    <section class="panel unfinished">
      <h2>{t('upload.unfinished')}</h2>
      <p class="soft">{t('upload.unfinishedText')}</p>
      <ul class="stack" role="list">
        {waiting.map(({ uploadId, filename, size, received }) => (
          <li key={uploadId} class="unfinished-line">
            <div class="unfinished-words">
              <strong>{filename}</strong>
              <span class="soft small">{t('upload.arrived', { percent: formatPercent(received / size), size: formatSize(size) })}</span>
              <ProgressBar share={received / size} label={t('upload.progress', { name: filename })} />
            </div>
            <IconButton label={t('upload.forget', { name: filename })} icon="trash" onClick={() => void drop(uploadId)} />
          </li>
        ))}
      </ul>
    </section>
  )
}
