import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { instanceConfig, loadInstanceConfig } from '../instance/config.ts'
import { loadCurrentUser, currentUser } from '../session.ts'
import { RequireLogin } from '../shell/require-login.tsx'
import { useTitle } from '../shell/title.ts'
import { Button } from '../ui/button.tsx'
import { Icon } from '../ui/icon.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { useQuery } from '../use-query.ts'
import { UploadCard } from './upload-card.tsx'
import { enqueueUploads, uploadQueue } from './upload-queue.ts'
import { UnfinishedUploads } from './unfinished-uploads.tsx'
import './upload.css'

/** Uploads videos: drop them anywhere on the page, write about them while they travel, watch them as soon as they play. */
export default function Upload(): JSX.Element {
  useTitle(t('upload.name'))
  return (
    <RequireLogin>
      <UploadRoom />
    </RequireLogin>
  )
}

function UploadRoom(): JSX.Element {
  const [over, setOver] = useState(false)
  const [failed, setFailed] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const unfinished = useQuery('GET /users/me/uploads', {})
  const settings = instanceConfig.value
  const user = currentUser.value
  const items = uploadQueue.value

  const prepare = () => {
    setFailed(false)
    Promise.all([loadInstanceConfig(), currentUser.peek() ?? loadCurrentUser()]).catch(() => setFailed(true))
  }
  useEffect(prepare, [])

  const take = (files: Iterable<File>) => {
    if (!settings || !user) return
    const defaults = { description: '', privacy: settings.defaults.publish.privacy, password: '', channelId: user.videoChannels[0]!.id }
    const open = unfinished.data?.data ?? []
    enqueueUploads(
      files,
      defaults,
      settings.client.videos.resumableUpload.maxChunkSize,
      file => open.find(({ filename, size }) => filename === file.name && size === file.size)?.uploadId ?? null
    )
  }
  useEffect(() => {
    const stop = new AbortController()
    const { signal } = stop
    let depth = 0
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true
    addEventListener(
      'dragenter',
      event => {
        if (hasFiles(event)) {
          depth++
          setOver(true)
        }
      },
      { signal }
    )
    addEventListener(
      'dragleave',
      event => {
        if (hasFiles(event) && --depth <= 0) {
          depth = 0
          setOver(false)
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
        setOver(false)
        take(event.dataTransfer!.files)
      },
      { signal }
    )
    return () => stop.abort()
  })

  if (failed)
    return (
      <div class="page page-narrow">
        <ErrorState text={t('ui.noConnection')} onRetry={prepare} />
      </div>
    )
  const kinds = settings?.video.file.extensions ?? []
  return (
    <div class={`page ${items.length > 0 ? '' : 'page-narrow'}`} data-over={over || undefined}>
      <div class="page-head">
        <h1>{t('upload.name')}</h1>
      </div>
      <div class={`drop ${items.length > 0 ? 'drop-small' : ''}`} data-over={over || undefined}>
        <span class="drop-icon">
          <Icon name="upload" size={items.length > 0 ? 22 : 34} />
        </span>
        <div>
          <p class="drop-title">{t(items.length > 0 ? 'upload.dropMore' : 'upload.drop')}</p>
          <p class="soft small">{t('upload.dropHint')}</p>
        </div>
        <Button look={items.length > 0 ? 'plain' : 'primary'} busy={!settings || !user} onClick={() => input.current!.click()}>
          {t('upload.choose')}
        </Button>
        <input
          ref={input}
          class="hidden-text"
          type="file"
          multiple
          tabIndex={-1}
          aria-label={t('upload.choose')}
          accept={['video/*', ...kinds].join(',')}
          disabled={!settings || !user}
          onChange={event => {
            take(event.currentTarget.files!)
            event.currentTarget.value = ''
          }}
        />
      </div>
      <UnfinishedUploads uploads={unfinished.data?.data ?? []} onGone={unfinished.reload} />
      <div class="upload-list">
        {items.map(item => (
          <UploadCard key={`${item.file.name} ${item.file.size} ${item.file.lastModified}`} item={item} />
        ))}
      </div>
    </div>
  )
}
