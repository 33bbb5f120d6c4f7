import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'

/** A dialog with the URL of a video and the HTML that embeds it in another page. */
export function ShareDialog({ video, onClose }: { video: VideoDetails; onClose: () => void }): JSX.Element {
  const watchUrl = `${location.origin}/w/${video.shortUUID}`
  const [width, height] = video.aspectRatio && video.aspectRatio < 1 ? [315, 560] : [560, 315]
  const title = video.name.replace(/&/g, '&amp;').replace(/"/g, '&quot;')
  const src = location.origin + video.embedPath
  const embedCode = `<iframe title="${title}" width="${width}" height="${height}" src="${src}" allowfullscreen loading="lazy"></iframe>`
  return (
    <Dialog title={t('watch.share')} onClose={onClose}>
      <div class="stack">
        <CopyField label={t('watch.link')} text={watchUrl} />
        <CopyField label={t('watch.embed')} text={embedCode} />
      </div>
    </Dialog>
  )
}

function CopyField({ label, text }: { label: string; text: string }): JSX.Element {
  const [copied, setCopied] = useState(false)
  return (
    <Field label={label}>
      {ids => (
        <div class="copy">
          <input class="input" {...ids} readOnly value={text} onFocus={event => event.currentTarget.select()} />
          <Button
            icon={copied ? 'check' : 'copy'}
            onClick={() =>
              void navigator.clipboard.writeText(text).then(
                () => setCopied(true),
                () => {
                  /* the field can be selected and copied with the keyboard */
                }
              )
            }
          >
            <span role="status">{t(copied ? 'ui.copied' : 'ui.copy')}</span>
          </Button>
        </div>
      )}
    </Field>
  )
}
