import type { ComponentChildren, JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { ActorImage } from '../../../shared/actors.ts'
import { t } from '../i18n/i18n.ts'
import { imageErrorText, imageTooLargeText } from '../image-error-text.ts'
import { Button } from './button.tsx'
import './field.css'
import './image-field.css'

const IMAGE_TYPES = 'image/png,image/jpeg,image/webp,image/gif'

type ImageFieldProps = {
  label: string
  changeLabel: string
  removeLabel: string
  hint: string
  hasImage: boolean
  /** The largest accepted file in bytes; null where it is not known. */
  maxSize: number | null
  onUpload: (file: File) => Promise<void>
  onRemove: () => Promise<void>
}

/** Buttons to choose an image and to remove it, each saved at once; why a file was refused is said below them. */
export function ImageField({ label, changeLabel, removeLabel, hint, hasImage, maxSize, onUpload, onRemove }: ImageFieldProps): JSX.Element {
  const field = useRef<HTMLDivElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const save = async (request: () => Promise<void>) => {
    setBusy(true)
    setProblem(null)
    try {
      await request()
    } catch (error) {
      setProblem(imageErrorText(error, maxSize))
    } finally {
      setBusy(false)
    }
  }
  const upload = async (file: File) => {
    // A server that refuses a request before it has read all of it may seem unreachable to the browser.
    if (maxSize !== null && file.size > maxSize) setProblem(imageTooLargeText(maxSize))
    else await save(async () => await onUpload(file))
  }
  const remove = async () => {
    // The button that has the focus disappears with the image.
    field.current!.querySelector('button')!.focus()
    await save(onRemove)
  }
  return (
    <div ref={field} class="image-field">
      <p class="field-label">{label}</p>
      <div class="row">
        <Button icon="image" busy={busy} onClick={() => input.current!.click()}>
          {changeLabel}
        </Button>
        {hasImage && (
          <Button look="quiet" icon="trash" disabled={busy} onClick={() => void remove()}>
            {removeLabel}
          </Button>
        )}
      </div>
      <p class="field-hint">{hint}</p>
      {problem && (
        <p class="field-error" role="alert">
          {problem}
        </p>
      )}
      <input
        ref={input}
        class="hidden-text"
        type="file"
        tabIndex={-1}
        accept={IMAGE_TYPES}
        aria-label={changeLabel}
        onChange={event => {
          const file = event.currentTarget.files?.[0]
          event.currentTarget.value = ''
          if (file) void upload(file)
        }}
      />
    </div>
  )
}

type ImageActions = Pick<ImageFieldProps, 'onUpload' | 'onRemove'>

/** The banner and the avatar of a channel or of the instance, to choose, replace and remove; `children` shows the present avatar. */
export function ActorImageFields({
  images: { avatars, banners },
  banner,
  avatar,
  avatarLabel,
  avatarHint,
  maxSizes,
  children
}: {
  images: { avatars: ActorImage[]; banners: ActorImage[] }
  banner: ImageActions
  avatar: ImageActions
  avatarLabel: string
  avatarHint: string
  maxSizes: { avatar: number; banner: number } | null
  children: ComponentChildren
}): JSX.Element {
  const widest = [...banners].sort((a, b) => b.width - a.width)[0]
  return (
    <div class="image-fields">
      {widest ? (
        <img class="image-fields-banner" src={widest.path} alt="" width={widest.width} height={widest.height} />
      ) : (
        <div class="image-fields-banner" aria-hidden="true" />
      )}
      <ImageField
        label={t('images.banner')}
        changeLabel={t('images.bannerChange')}
        removeLabel={t('images.bannerAway')}
        hint={t('images.bannerHint')}
        hasImage={widest !== undefined}
        maxSize={maxSizes && maxSizes.banner}
        {...banner}
      />
      {children}
      <ImageField
        label={avatarLabel}
        changeLabel={t('images.avatarChange')}
        removeLabel={t('images.avatarAway')}
        hint={avatarHint}
        hasImage={avatars.length > 0}
        maxSize={maxSizes && maxSizes.avatar}
        {...avatar}
      />
    </div>
  )
}
