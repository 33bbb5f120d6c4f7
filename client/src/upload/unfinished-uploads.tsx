import type { JSX } from 'preact'
import { api, type ApiResponse } from '../api.ts'
import { formatPercent, formatSize, t } from '../i18n/i18n.ts'
import { IconButton } from '../ui/button.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { uploadQueue } from './upload-queue.ts'
import { deleteSavedUpload } from './saved-uploads.ts'

type UnfinishedUpload = ApiResponse<'GET /users/me/uploads'>['data'][number]

/** The list of interrupted uploads; choosing the same file resumes its upload. */
export function UnfinishedUploads({ uploads, onRemoved }: { uploads: UnfinishedUpload[]; onRemoved: () => void }): JSX.Element | null {
  const queuedFiles = new Set(uploadQueue.value.map(({ file }) => `${file.name} ${file.size}`))
  const resumable = uploads.filter(({ filename, size }) => !queuedFiles.has(`${filename} ${size}`))
  if (resumable.length === 0) return null
  const remove = async (uploadId: string) => {
    deleteSavedUpload(uploadId)
    await api('DELETE /videos/upload-resumable', { query: { upload_id: uploadId } }).catch(() => {
      /* the server deletes abandoned uploads after some days */
    })
    onRemoved()
  }
  return (
    <section class="panel unfinished">
      <h2>{t('upload.unfinished')}</h2>
      <p class="soft">{t('upload.unfinishedText')}</p>
      <ul class="stack" role="list">
        {resumable.map(({ uploadId, filename, size, received }) => (
          <li key={uploadId} class="unfinished-line">
            <div class="unfinished-words">
              <strong>{filename}</strong>
              <span class="soft small">{t('upload.arrived', { percent: formatPercent(received / size), size: formatSize(size) })}</span>
              <ProgressBar share={received / size} label={t('upload.progress', { name: filename })} />
            </div>
            <IconButton label={t('upload.forget', { name: filename })} icon="trash" onClick={() => void remove(uploadId)} />
          </li>
        ))}
      </ul>
    </section>
  )
}
