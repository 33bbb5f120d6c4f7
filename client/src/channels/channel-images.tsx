import type { JSX } from 'preact'
import type { Channel } from '../../../shared/actors.ts'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { actorImageMaxSizes } from '../instance/config.ts'
import { loadCurrentUser } from '../session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { ActorImageFields } from '../ui/image-field.tsx'

/** The banner and the avatar of one of the user's channels, to replace or remove; each change is saved at once. */
export function ChannelImages({ channel, onChange }: { channel: Channel; onChange: (channel: Channel) => void }): JSX.Element {
  const params = { channelHandle: channel.name }
  const change = async (changes: Partial<Channel>) => {
    onChange({ ...channel, ...changes })
    await loadCurrentUser().catch(() => {
      /* the image is saved; the menu shows it after the next load */
    })
  }
  return (
    <ActorImageFields
      images={channel}
      maxSizes={actorImageMaxSizes()}
      avatarLabel={t('channels.picture')}
      avatarHint={t('channels.pictureHint')}
      banner={{
        onUpload: async bannerfile =>
          await change(await api('POST /video-channels/:channelHandle/banner/pick', { params, files: { bannerfile } })),
        onRemove: async () => {
          await api('DELETE /video-channels/:channelHandle/banner', { params })
          await change({ banners: [] })
        }
      }}
      avatar={{
        onUpload: async avatarfile =>
          await change(await api('POST /video-channels/:channelHandle/avatar/pick', { params, files: { avatarfile } })),
        onRemove: async () => {
          await api('DELETE /video-channels/:channelHandle/avatar', { params })
          await change({ avatars: [] })
        }
      }}
    >
      <Avatar of={channel} size="l" />
    </ActorImageFields>
  )
}
