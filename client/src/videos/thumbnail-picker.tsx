import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { FramePicker, canPickFrame } from './frame-picker.tsx'
import './edit-video.css'

/** The thumbnail of a video, with the choice of another one: a frame of the video, or a file. */
export function ThumbnailPicker({
  video,
  picked,
  onPick,
  error
}: {
  video: VideoDetails
  picked: File | null
  onPick: (file: File) => void
  error: string | null
}): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const [url, setUrl] = useState<string | null>(null)
  const [pickingFrame, setPickingFrame] = useState(false)
  useEffect(() => {
    if (!picked) {
      setUrl(null)
      return
    }
    const objectUrl = URL.createObjectURL(picked)
    setUrl(objectUrl)
    return () => URL.revokeObjectURL(objectUrl)
  }, [picked])
  const shownUrl = url ?? video.previewPath ?? video.thumbnailPath
  return (
    <div class="picture">
      <div class="thumbnail">{shownUrl && <img src={shownUrl} alt={t('edit.picture')} />}</div>
      <div class="stack">
        <div class="row">
          {canPickFrame(video) && (
            <Button icon="film" onClick={() => setPickingFrame(true)}>
              {t('edit.chooseFrame')}
            </Button>
          )}
          <Button icon="image" onClick={() => input.current!.click()}>
            {t('edit.choosePicture')}
          </Button>
        </div>
        {error && (
          <p class="field-error" role="alert">
            {error}
          </p>
        )}
        <p class="soft small">{t('edit.pictureHint')}</p>
      </div>
      <input
        ref={input}
        class="hidden-text"
        type="file"
        tabIndex={-1}
        accept="image/jpeg,image/png,image/webp"
        aria-label={t('edit.choosePicture')}
        onChange={event => {
          const file = event.currentTarget.files?.[0]
          if (file) onPick(file)
        }}
      />
      {pickingFrame && (
        <FramePicker
          video={video}
          onClose={() => setPickingFrame(false)}
          onPick={file => {
            setPickingFrame(false)
            onPick(file)
          }}
        />
      )}
    </div>
  )
}
