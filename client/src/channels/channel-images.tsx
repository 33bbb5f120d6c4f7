import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { Channel } from '../../../shared/actors.ts'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { loadCurrentUser } from '../session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { showToast } from '../ui/toast.tsx'

const IMAGE_TYPES = 'image/png,image/jpeg,image/webp,image/gif'
const REFUSED_STATUSES = [400, 413, 415]

/** The banner and the avatar of one of the user's channels, to replace or remove; each change is saved at once. */
export function ChannelImages({ channel, onChange }: { channel: Channel; onChange: (channel: Channel) => void }): JSX.Element {
  const params = { channelHandle: channel.name }
  const banner = [...channel.banners].sort((a, b) => b.width - a.width)[0]
  return (
    <div class="channel-pictures">
      {banner ? (
        <img class="channel-banner" src={banner.path} alt="" width={banner.width} height={banner.height} />
      ) : (
        <div class="channel-banner" aria-hidden="true" />
      )}
      <ImageField
        label={t('channels.banner')}
        changeLabel={t('channels.bannerChange')}
        removeLabel={t('channels.bannerAway')}
        hint={t('channels.bannerHint')}
        hasImage={banner !== undefined}
        onUpload={async bannerfile =>
          onChange({ ...channel, ...(await api('POST /video-channels/:channelHandle/banner/pick', { params, files: { bannerfile } })) })
        }
        onRemove={async () => {
          await api('DELETE /video-channels/:channelHandle/banner', { params })
          onChange({ ...channel, banners: [] })
        }}
      />
      <Avatar of={channel} size="l" />
      <ImageField
        label={t('channels.picture')}
        changeLabel={t('channels.pictureChange')}
        removeLabel={t('channels.pictureAway')}
        hint={t('channels.pictureHint')}
        hasImage={channel.avatars.length > 0}
        onUpload={async avatarfile =>
          onChange({ ...channel, ...(await api('POST /video-channels/:channelHandle/avatar/pick', { params, files: { avatarfile } })) })
        }
        onRemove={async () => {
          await api('DELETE /video-channels/:channelHandle/avatar', { params })
          onChange({ ...channel, avatars: [] })
        }}
      />
    </div>
  )
}

type Props = {
  label: string
  changeLabel: string
  removeLabel: string
  hint: string
  hasImage: boolean
  onUpload: (file: File) => Promise<void>
  onRemove: () => Promise<void>
}

function ImageField({ label, changeLabel, removeLabel, hint, hasImage, onUpload, onRemove }: Props): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const saveImage = async (request: () => Promise<void>) => {
    setBusy(true)
    try {
      await request()
      await loadCurrentUser().catch(() => {
        /* the image is saved; the menu shows it after the next load */
      })
    } catch (error) {
      showToast(error instanceof ApiError && REFUSED_STATUSES.includes(error.status) ? t('settings.pictureRefused') : apiErrorText(error), {
        bad: true
      })
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="channel-picture">
      <p class="field-label">{label}</p>
      <div class="row">
        <Button icon="image" busy={busy} onClick={() => input.current!.click()}>
          {changeLabel}
        </Button>
        {hasImage && (
          <Button look="quiet" icon="trash" disabled={busy} onClick={() => void saveImage(onRemove)}>
            {removeLabel}
          </Button>
        )}
      </div>
      <p class="soft small">{hint}</p>
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
          if (file) void saveImage(async () => await onUpload(file))
        }}
      />
    </div>
  )
}
