import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { formatTime, formatSpokenTime, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Notice } from '../ui/feedback.tsx'
import { loadPlayerSource } from './player-source.ts'

/** The initial position, as a share of the duration: after any opening titles. */
const INITIAL_POSITION = 0.3
const JPEG_QUALITY = 0.92

/** Whether frames of a video can be picked: it is local and all renditions are complete (`segmentsSha256Url` is written last). */
export function canPickFrame({ isLocal, streamingPlaylists: [playlist] }: VideoDetails): boolean {
  return isLocal && Boolean(playlist?.segmentsSha256Url) && playlist!.files.some(({ hasVideo }) => hasVideo)
}

/** A dialog that picks a frame of a video; `onPick` receives it as a JPEG file. */
export function FramePicker({
  video,
  onPick,
  onClose
}: {
  video: VideoDetails
  onPick: (file: File) => void
  onClose: () => void
}): JSX.Element {
  const videoElement = useRef<HTMLVideoElement>(null)
  const [fileUrl, setFileUrl] = useState<string | null>(null)
  const [failed, setFailed] = useState(false)
  const [position, setPosition] = useState(0)
  const [frameReady, setFrameReady] = useState(false)
  useEffect(() => {
    let current = true
    loadPlayerSource(video)
      .catch(() => null)
      .then(source => {
        if (!current) return
        if (source?.file) setFileUrl(source.file)
        else setFailed(true)
      })
    return () => {
      current = false
    }
  }, [])
  const seek = (seconds: number) => {
    setPosition(seconds)
    setFrameReady(false)
    videoElement.current!.currentTime = seconds
  }
  const pickCurrentFrame = async () => {
    const image = await captureFrame(videoElement.current!)
    if (image) onPick(new File([image], 'frame.jpg', { type: image.type }))
    else setFailed(true)
  }
  // At the exact end there is no frame.
  const lastPosition = Math.max(0, video.duration - 0.1)
  return (
    <Dialog
      title={t('edit.chooseFrame')}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look="primary" disabled={!frameReady || failed} onClick={() => void pickCurrentFrame()}>
            {t('edit.useFrame')}
          </Button>
        </>
      }
    >
      {failed ? (
        <Notice kind="bad">{t('edit.frameFailed')}</Notice>
      ) : (
        <div class="frame">
          <video
            ref={videoElement}
            class="frame-film"
            src={fileUrl ?? undefined}
            muted
            playsInline
            preload="auto"
            aria-hidden="true"
            style={{ aspectRatio: String(video.aspectRatio ?? 16 / 9) }}
            onLoadedMetadata={() => seek(video.duration * INITIAL_POSITION)}
            onSeeked={() => setFrameReady(true)}
            onError={() => setFailed(true)}
          />
          <div class="frame-line">
            <input
              class="frame-at"
              type="range"
              min="0"
              max={lastPosition}
              step="0.1"
              value={position}
              aria-label={t('edit.frameAt')}
              aria-valuetext={formatSpokenTime(position)}
              onInput={event => seek(event.currentTarget.valueAsNumber)}
            />
            <span class="frame-time">{formatTime(position)}</span>
          </div>
        </div>
      )}
    </Dialog>
  )
}

/** Returns the current frame of a media element as a JPEG in the size of the video; null if it cannot be encoded. */
async function captureFrame(videoElement: HTMLVideoElement): Promise<Blob | null> {
  const canvas = document.createElement('canvas')
  canvas.width = videoElement.videoWidth
  canvas.height = videoElement.videoHeight
  canvas.getContext('2d')?.drawImage(videoElement, 0, 0)
  return await new Promise(resolve => {
    canvas.toBlob(resolve, 'image/jpeg', JPEG_QUALITY)
  })
}
