import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { FramePicker, canPickFrame } from './frame-picker.tsx'
import './edit-video.css'

/** The picture of a video, with the ways to another one: a frame of it, or a file. */
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
  const [looking, setLooking] = useState(false)
  useEffect(() => {
    if (!picked) {
      setUrl(null)
      return
    }
    const made = URL.createObjectURL(picked)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [picked])
  const shown = url ?? video.previewPath ?? video.thumbnailPath
  return (
    <div class="picture">
      <div class="thumbnail">{shown && <img src={shown} alt={t('edit.picture')} />}</div>
      <div class="stack">
        <div class="row">
          {canPickFrame(video) && (
            <Button icon="film" onClick={() => setLooking(true)}>
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
      {looking && (
        <FramePicker
          video={video}
          onClose={() => setLooking(false)}
          onPick={file => {
            setLooking(false)
            onPick(file)
          }}
        />
      )}
    </div>
  )
}
