import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { instanceConfig, loadInstanceConfig } from '../instance/config.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../page/require-login.tsx'
import { useTitle } from '../page/title.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { UploadCard } from './upload-card.tsx'
import { enqueueUploads, uploadQueue } from './upload-queue.ts'
import { UnfinishedUploads } from './unfinished-uploads.tsx'
import './upload.css'

/** The upload page: accepts files dropped anywhere on it; shows a draft form during the upload and a player once a video is playable. */
export default function UploadPage(): JSX.Element {
  useTitle(t('upload.name'))
  return (
    <RequireLogin>
      <UploadContent />
    </RequireLogin>
  )
}

function UploadContent(): JSX.Element {
  const [dragging, setDragging] = useState(false)
  const [failed, setFailed] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const unfinished = useQuery('GET /users/me/uploads', {})
  const config = instanceConfig.value
  const user = currentUser.value
  const items = uploadQueue.value

  const load = () => {
    setFailed(false)
    Promise.all([loadInstanceConfig(), currentUser.peek() ?? loadCurrentUser()]).catch(() => setFailed(true))
  }
  useEffect(load, [])

  const enqueue = (files: Iterable<File>) => {
    if (!config || !user) return
    const defaults = { description: '', privacy: config.defaults.publish.privacy, password: '', channelId: user.videoChannels[0]!.id }
    const resumable = unfinished.data?.data ?? []
    enqueueUploads(
      files,
      defaults,
      config.client.videos.resumableUpload.maxChunkSize,
      file => resumable.find(({ filename, size }) => filename === file.name && size === file.size)?.uploadId ?? null
    )
  }
  useEffect(() => {
    const removed = new AbortController()
    const { signal } = removed
    let depth = 0
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
    addEventListener(
      'dragenter',
      event => {
        if (hasFiles(event)) {
          depth++
          setDragging(true)
        }
      },
      { signal }
    )
    addEventListener(
      'dragleave',
      event => {
        if (hasFiles(event) && --depth <= 0) {
          depth = 0
          setDragging(false)
        }
      },
      { signal }
    )
    addEventListener(
      'dragover',
      event => {
        if (hasFiles(event)) event.preventDefault()
      },
      { signal }
    )
    addEventListener(
      'drop',
      event => {
        if (!hasFiles(event)) return
        event.preventDefault()
        depth = 0
        setDragging(false)
        enqueue(event.dataTransfer!.files)
      },
      { signal }
    )
    return () => removed.abort()
  })

  if (failed)
    return (
      <div class="page page-narrow">
        <ErrorState text={t('ui.noConnection')} onRetry={load} />
      </div>
    )
  const extensions = config?.video.file.extensions ?? []
  return (
    <div class={`page ${items.length > 0 ? '' : 'page-narrow'}`} data-over={dragging || undefined}>
      <div class="page-head">
        <h1>{t('upload.name')}</h1>
      </div>
      <div class={`drop ${items.length > 0 ? 'drop-small' : ''}`} data-over={dragging || undefined}>
        <span class="drop-icon">
          <Icon name="upload" size={items.length > 0 ? 22 : 34} />
        </span>
        <div>
          <p class="drop-title">{t(items.length > 0 ? 'upload.dropMore' : 'upload.drop')}</p>
          <p class="soft small">{t('upload.dropHint')}</p>
        </div>
        <Button look={items.length > 0 ? 'plain' : 'primary'} busy={!config || !user} onClick={() => input.current!.click()}>
          {t('upload.choose')}
        </Button>
        <input
          ref={input}
          class="hidden-text"
          type="file"
          multiple
          tabIndex={-1}
          aria-label={t('upload.choose')}
          accept={['video/*', ...extensions].join(',')}
          disabled={!config || !user}
          onChange={event => {
            enqueue(event.currentTarget.files!)
            event.currentTarget.value = ''
          }}
        />
      </div>
      <UnfinishedUploads uploads={unfinished.data?.data ?? []} onRemoved={unfinished.reload} />
      <div class="upload-list">
        {items.map(item => (
          <UploadCard key={`${item.file.name} ${item.file.size} ${item.file.lastModified}`} item={item} />
        ))}
      </div>
    </div>
  )
}
