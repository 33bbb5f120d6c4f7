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

/** One file on the upload page: its way, what is written about it, and the video as soon as it plays. */
export function UploadCard({ item }: { item: UploadItem }): JSX.Element {
  const { transfer } = item
  const video = transfer.video.value
  const progress = item.progress.value
  const refused = transfer.state.value === 'refused'
  const drop = async () => {
    if (
      !video &&
      !refused &&
      !(await openConfirmDialog({
        title: t('upload.cancelTitle'),
        text: t('upload.cancelText', { name: item.file.name }),
        yes: t('upload.cancelYes')
      }))
    )
      return
    removeFromUploadQueue(item)
    await item.drop()
  }
  return (
    <article class="panel upload-item" aria-label={item.file.name}>
      <header class="upload-head">
        <div class="upload-name">
          <strong>{item.file.name}</strong> <span class="soft small">{formatSize(item.file.size)}</span>
        </div>
        <IconButton label={t(video || refused ? 'upload.remove' : 'upload.cancel')} icon="close" onClick={() => void drop()} />
      </header>
      {refused ? (
        <Notice kind="bad">{uploadErrorText(transfer.refusal.value!)}</Notice>
      ) : (
        <>
          {!video && <Sending item={item} />}
          {video && progress && <TranscodingStatus progress={progress} />}
          <div class={progress?.playable ? 'upload-body upload-both' : 'upload-body'}>
            {video && progress?.playable && <UploadedVideoPlayer id={video.uuid} done={progress.state === 'done'} />}
            {item.publishing.value === 'done' && video ? <Published item={item} /> : <DraftForm item={item} />}
          </div>
        </>
      )}
    </article>
  )
}

function Sending({ item }: { item: UploadItem }): JSX.Element {
  const { transfer, file } = item
  const state = transfer.state.value
  const share = file.size > 0 ? transfer.sent.value / file.size : 0
  const speed = transfer.speed.value
  const left = speed && speed > 0 ? (file.size - transfer.sent.value) / speed : null
  const said = useSpoken(Math.floor(share * 10))
  return (
    <div class="stack upload-sending">
      <ProgressBar share={state === 'starting' || state === 'checking' ? null : share} label={t('upload.progress', { name: file.name })} />
      <div class="upload-line">
        <span class="upload-figures">
          {state === 'starting' && t('upload.starting')}
          {state === 'checking' && t('upload.checking')}
          {state === 'paused' && t('upload.paused', { percent: formatPercent(share) })}
          {state === 'offline' && t('upload.offline', { percent: formatPercent(share) })}
          {state === 'sending' &&
            [
              formatPercent(share),
              speed === null ? null : t('upload.speed', { size: formatSize(speed) }),
              left === null ? null : t('upload.left', { time: formatDuration(left) })
            ]
              .filter(Boolean)
              .join(' · ')}
        </span>
        {(state === 'sending' || state === 'offline') && (
          <Button look="quiet" icon="pause" onClick={() => transfer.pause()}>
            {t('upload.pause')}
          </Button>
        )}
        {state === 'paused' && (
          <Button look="quiet" icon="play" onClick={() => transfer.resume()}>
            {t('upload.resume')}
          </Button>
        )}
      </div>
      <span class="hidden-text" role="status">
        {state === 'sending' && said > 0 ? t('upload.spoken', { name: file.name, percent: formatPercent(said / 10) }) : ''}
      </span>
    </div>
  )
}

/** A figure that changes at most every few seconds, so that a screen reader is not talking all the time. */
function useSpoken(value: number): number {
  const [spoken, setSpoken] = useState(value)
  useEffect(() => {
    if (value === spoken) return
    const timer = setTimeout(() => setSpoken(value), 4000)
    return () => clearTimeout(timer)
  }, [value > spoken])
  return spoken
}

function Published({ item }: { item: UploadItem }): JSX.Element {
  const video = item.transfer.video.value!
  const ready = item.progress.value?.playable === true
  return (
    <div class="stack upload-done">
      <Notice kind="good">
        <p>
          <strong>{t('upload.published')}</strong>
        </p>
        <p>{t(ready ? 'upload.publishedReady' : 'upload.publishedSoon')}</p>
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
