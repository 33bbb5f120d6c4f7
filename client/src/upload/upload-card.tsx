import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { formatPercent, formatSize, formatDuration, t } from '../i18n/i18n.ts'
import { Button, ButtonLink, IconButton } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { ProgressBar } from '../ui/progress-bar.tsx'
import { Notice } from '../ui/feedback.tsx'
import { TranscodingStatus } from '../videos/transcoding-status.tsx'
import { DraftForm } from './draft-form.tsx'
import type { UploadItem } from './upload-item.ts'
import { UploadedVideoPlayer } from './uploaded-video-player.tsx'
import { removeFromUploadQueue } from './upload-queue.ts'
import { uploadErrorText } from './upload-error-text.ts'

/** One file on the upload page: upload progress, draft form, and the player as soon as the video can be played. */
export function UploadCard({ item }: { item: UploadItem }): JSX.Element {
  const { transfer } = item
  const video = transfer.video.value
  const progress = item.progress.value
  const failed = transfer.status.value === 'failed'
  const remove = async () => {
    if (
      !video &&
      !failed &&
      !(await openConfirmDialog({
        title: t('upload.cancelTitle'),
        text: t('upload.cancelText', { name: item.file.name }),
        yes: t('upload.cancelYes')
      }))
    )
      return
    removeFromUploadQueue(item)
    await item.discard()
  }
  return (
    <article class="panel upload-item" aria-label={item.file.name}>
      <header class="upload-head">
        <div class="upload-name">
          <strong>{item.file.name}</strong> <span class="soft small">{formatSize(item.file.size)}</span>
        </div>
        <IconButton label={t(video || failed ? 'upload.remove' : 'upload.cancel')} icon="close" onClick={() => void remove()} />
      </header>
      {failed ? (
        <Notice kind="bad">{uploadErrorText(transfer.error.value!)}</Notice>
      ) : (
        <>
          {!video && <TransferProgress item={item} />}
          {video && progress && <TranscodingStatus progress={progress} />}
          <div class={progress?.playable ? 'upload-body upload-both' : 'upload-body'}>
            {video && progress?.playable && <UploadedVideoPlayer id={video.uuid} done={progress.state === 'done'} />}
            {item.publishing.value === 'done' && video ? <PublishedNotice item={item} /> : <DraftForm item={item} />}
          </div>
        </>
      )}
    </article>
  )
}

function TransferProgress({ item }: { item: UploadItem }): JSX.Element {
  const { transfer, file } = item
  const status = transfer.status.value
  const fraction = file.size > 0 ? transfer.sent.value / file.size : 0
  const speed = transfer.speed.value
  const secondsLeft = speed && speed > 0 ? (file.size - transfer.sent.value) / speed : null
  const spokenTenths = useThrottled(Math.floor(fraction * 10))
  return (
    <div class="stack upload-sending">
      <ProgressBar
        share={status === 'starting' || status === 'checking' ? null : fraction}
        label={t('upload.progress', { name: file.name })}
      />
      <div class="upload-line">
        <span class="upload-figures">
          {status === 'starting' && t('upload.starting')}
          {status === 'checking' && t('upload.checking')}
          {status === 'paused' && t('upload.paused', { percent: formatPercent(fraction) })}
          {status === 'offline' && t('upload.offline', { percent: formatPercent(fraction) })}
          {status === 'sending' &&
            [
              formatPercent(fraction),
              speed === null ? null : t('upload.speed', { size: formatSize(speed) }),
              secondsLeft === null ? null : t('upload.left', { time: formatDuration(secondsLeft) })
            ]
              .filter(Boolean)
              .join(' · ')}
        </span>
        {(status === 'sending' || status === 'offline') && (
          <Button look="quiet" icon="pause" onClick={() => transfer.pause()}>
            {t('upload.pause')}
          </Button>
        )}
        {status === 'paused' && (
          <Button look="quiet" icon="play" onClick={() => transfer.resume()}>
            {t('upload.resume')}
          </Button>
        )}
      </div>
      <span class="hidden-text" role="status">
        {status === 'sending' && spokenTenths > 0 ? t('upload.spoken', { name: file.name, percent: formatPercent(spokenTenths / 10) }) : ''}
      </span>
    </div>
  )
}

/** Returns the value with a delay of 4 seconds, so that a screen reader does not announce it continuously. */
function useThrottled(value: number): number {
  const [throttled, setThrottled] = useState(value)
  useEffect(() => {
    if (value === throttled) return
    const timer = setTimeout(() => setThrottled(value), 4000)
    return () => clearTimeout(timer)
  }, [value > throttled])
  return throttled
}

function PublishedNotice({ item }: { item: UploadItem }): JSX.Element {
  const video = item.transfer.video.value!
  const playable = item.progress.value?.playable === true
  return (
    <div class="stack upload-done">
      <Notice kind="good">
        <p>
          <strong>{t('upload.published')}</strong>
        </p>
        <p>{t(playable ? 'upload.publishedReady' : 'upload.publishedSoon')}</p>
      </Notice>
      <div class="row">
        <ButtonLink look="primary" icon="play" href={`/w/${video.shortUUID}`}>
          {t('upload.watch')}
        </ButtonLink>
        <ButtonLink icon="edit" href={`/my/videos/${video.shortUUID}`}>
          {t('upload.more')}
        </ButtonLink>
      </div>
    </div>
  )
}
