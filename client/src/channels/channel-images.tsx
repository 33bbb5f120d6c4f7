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

const TYPES = 'image/png,image/jpeg,image/webp,image/gif'
const REFUSED = [400, 413, 415]

/** The banner and the picture of an own channel, to change and to take away; each change counts at once. */
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
      <Picture
        label={t('channels.banner')}
        change={t('channels.bannerChange')}
        away={t('channels.bannerAway')}
        hint={t('channels.bannerHint')}
        has={banner !== undefined}
        onFile={async bannerfile =>
          onChange({ ...channel, ...(await api('POST /video-channels/:channelHandle/banner/pick', { params, files: { bannerfile } })) })
        }
        onAway={async () => {
          await api('DELETE /video-channels/:channelHandle/banner', { params })
          onChange({ ...channel, banners: [] })
        }}
      />
      <Avatar of={channel} size="l" />
      <Picture
        label={t('channels.picture')}
        change={t('channels.pictureChange')}
        away={t('channels.pictureAway')}
        hint={t('channels.pictureHint')}
        has={channel.avatars.length > 0}
        onFile={async avatarfile =>
          onChange({ ...channel, ...(await api('POST /video-channels/:channelHandle/avatar/pick', { params, files: { avatarfile } })) })
        }
        onAway={async () => {
          await api('DELETE /video-channels/:channelHandle/avatar', { params })
          onChange({ ...channel, avatars: [] })
        }}
      />
    </div>
  )
}

type Props = {
  label: string
  change: string
  away: string
  hint: string
  has: boolean
  onFile: (file: File) => Promise<void>
  onAway: () => Promise<void>
}

function Picture({ label, change, away, hint, has, onFile, onAway }: Props): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(false)
  const act = async (change: () => Promise<void>) => {
    setBusy(true)
    try {
      await change()
      await loadCurrentUser().catch(() => {
        /* the picture is there; the menu learns of it later */
      })
    } catch (error) {
      showToast(error instanceof ApiError && REFUSED.includes(error.status) ? t('settings.pictureRefused') : apiErrorText(error), {
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
          {change}
        </Button>
        {has && (
          <Button look="quiet" icon="trash" disabled={busy} onClick={() => void act(onAway)}>
            {away}
          </Button>
        )}
      </div>
      <p class="soft small">{hint}</p>
      <input
        ref={input}
        class="hidden-text"
        type="file"
        tabIndex={-1}
        accept={TYPES}
        aria-label={change}
        onChange={event => {
          const file = event.currentTarget.files?.[0]
          event.currentTarget.value = ''
          if (file) void act(async () => await onFile(file))
        }}
      />
    </div>
  )
}
