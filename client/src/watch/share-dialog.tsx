import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { formatTime, languageName, t } from '../i18n/i18n.ts'
import type { CaptionTrack } from '../player/caption-tracks.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Checkbox, Field } from '../ui/field.tsx'
import { embedHtml, watchLink } from './share-links.ts'

/** What the player shows when a video is shared: its position in seconds, and the captions that are on. */
export type ShownInPlayer = { time: number; caption: CaptionTrack | null }

/**
 * A dialog with the URL of a video and the HTML that embeds it in another page; on request they start at the position of the player, and
 * with its captions.
 */
export function ShareDialog({ video, shown, onClose }: { video: VideoDetails; shown: ShownInPlayer; onClose: () => void }): JSX.Element {
  const [withTime, setWithTime] = useState(false)
  const [withCaption, setWithCaption] = useState(false)
  const { time } = shown
  // A link names a language, whose forced subtitles it cannot choose.
  const caption = shown.caption?.kind === 'forced' ? null : shown.caption
  const shared = { start: withTime ? time : undefined, subtitle: withCaption ? caption?.language.id : undefined }
  return (
    <Dialog title={t('watch.share')} onClose={onClose}>
      <div class="stack">
        <CopyField key={`link ${watchLink(video, shared)}`} label={t('watch.link')} text={watchLink(video, shared)} />
        <CopyField key={`embed ${embedHtml(video, shared)}`} label={t('watch.embed')} text={embedHtml(video, shared)} />
        {(time >= 1 || caption) && (
          <div class="share-options">
            {time >= 1 && <Checkbox label={t('watch.shareStart', { time: formatTime(time) })} checked={withTime} onChecked={setWithTime} />}
            {caption && (
              <Checkbox
                label={t('watch.shareSubtitle', { language: languageName(caption.language.id, caption.language.label) })}
                checked={withCaption}
                onChecked={setWithCaption}
              />
            )}
          </div>
        )}
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
