import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'

/** The picture of a video, with the way to another one. */
export function PicturePicker({ current, picked, onPick, error }: { current: string | null, picked: File | null, onPick: (file: File) => void, error: string | null }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    if (!picked) { setUrl(null); return }
    const made = URL.createObjectURL(picked)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [picked])
  const shown = url ?? current
  return (
    <div class="picture">
      <div class="thumbnail">{shown && <img src={shown} alt={t('edit.picture')} />}</div>
      <div class="stack">
        <Button icon="image" onClick={() => input.current!.click()}>{t('edit.choosePicture')}</Button>
        {error && <p class="field-error" role="alert">{error}</p>}
        <p class="soft small">{t('edit.pictureHint')}</p>
      </div>
      <input ref={input} class="hidden-text" type="file" tabIndex={-1} accept="image/jpeg,image/png,image/webp" aria-label={t('edit.choosePicture')} onChange={event => {
        const file = event.currentTarget.files?.[0]
        if (file) onPick(file)
      }} />
    </div>
  )
}
