import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { formatTime, formatSpokenTime, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Notice } from '../ui/feedback.tsx'
import { loadPlayerSource } from './player-source.ts'

/** Where one begins to look for a frame, as a share of the film: titles are over by then. */
const BEGIN = 0.3
const QUALITY = 0.92

/** Whether frames of a video can be picked: its qualities are whole (the hashes of all segments are written last), and here. */
export function canPickFrame({ isLocal, streamingPlaylists: [playlist] }: VideoDetails): boolean {
  return isLocal && Boolean(playlist?.segmentsSha256Url) && playlist!.files.some(({ hasVideo }) => hasVideo)
}

/** Picks a frame of a video, as a JPEG. */
export function FramePicker({
  video,
  onPick,
  onClose
}: {
  video: VideoDetails
  onPick: (file: File) => void
  onClose: () => void
}): JSX.Element {
  const film = useRef<HTMLVideoElement>(null)
  const [file, setFile] = useState<string | null>(null)
  const [failed, setFailed] = useState(false)
  const [at, setAt] = useState(0)
  const [there, setThere] = useState(false)
  useEffect(() => {
    let current = true
    loadPlayerSource(video)
      .catch(() => null)
      .then(source => {
        if (!current) return
        if (source?.file) setFile(source.file)
        else setFailed(true)
      })
    return () => {
      current = false
    }
  }, [])
  const seek = (seconds: number) => {
    setAt(seconds)
    setThere(false)
    film.current!.currentTime = seconds
  }
  const use = async () => {
    const picture = await frameOf(film.current!)
    if (picture) onPick(new File([picture], 'frame.jpg', { type: picture.type }))
    else setFailed(true)
  }
  // At the very end there is no frame any more.
  const end = Math.max(0, video.duration - 0.1)
  return (
    <Dialog
      title={t('edit.chooseFrame')}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose}>
            {t('ui.cancel')}
          </Button>
          <Button look="primary" disabled={!there || failed} onClick={() => void use()}>
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
            ref={film}
            class="frame-film"
            src={file ?? undefined}
            muted
            playsInline
            preload="auto"
            aria-hidden="true"
            style={{ aspectRatio: String(video.aspectRatio ?? 16 / 9) }}
            onLoadedMetadata={() => seek(video.duration * BEGIN)}
            onSeeked={() => setThere(true)}
            onError={() => setFailed(true)}
          />
          <div class="frame-line">
            <input
              class="frame-at"
              type="range"
              min="0"
              max={end}
              step="0.1"
              value={at}
              aria-label={t('edit.frameAt')}
              aria-valuetext={formatSpokenTime(at)}
              onInput={event => seek(event.currentTarget.valueAsNumber)}
            />
            <span class="frame-time">{formatTime(at)}</span>
          </div>
        </div>
      )}
    </Dialog>
  )
}

/** The frame a media element shows, as large as its film; null where it shows none. */
async function frameOf(film: HTMLVideoElement): Promise<Blob | null> {
  const canvas = document.createElement('canvas')
  canvas.width = film.videoWidth
  canvas.height = film.videoHeight
  canvas.getContext('2d')?.drawImage(film, 0, 0)
  return await new Promise(resolve => {
    canvas.toBlob(resolve, 'image/jpeg', QUALITY)
  })
}
