import type { JSX } from 'preact'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { actorImageMaxSizes, instanceConfig, reloadInstanceConfig } from '../instance/config.ts'
import { InstanceMark } from '../instance/instance-mark.tsx'
import { ActorImageFields } from '../ui/image-field.tsx'

/** The banner and the avatar of the instance, to choose, replace or remove; each change is saved at once. */
export function InstanceImages(): JSX.Element | null {
  const instance = instanceConfig.value?.instance
  if (!instance) return null
  // Where the images are saved but cannot be loaded again, the next page load shows them.
  const reload = async () => void (await reloadInstanceConfig().catch(() => null))
  return (
    <section class="form panel site-images">
      <div>
        <h2>{t('site.images')}</h2>
        <p class="field-hint">{t('site.imagesHint')}</p>
      </div>
      <ActorImageFields
        images={instance}
        maxSizes={actorImageMaxSizes()}
        avatarLabel={t('site.avatar')}
        avatarHint={t('site.avatarHint')}
        banner={{
          onUpload: async bannerfile => {
            await api('POST /config/instance-banner/pick', { files: { bannerfile } })
            await reload()
          },
          onRemove: async () => {
            await api('DELETE /config/instance-banner')
            await reload()
          }
        }}
        avatar={{
          onUpload: async avatarfile => {
            await api('POST /config/instance-avatar/pick', { files: { avatarfile } })
            await reload()
          },
          onRemove: async () => {
            await api('DELETE /config/instance-avatar')
            await reload()
          }
        }}
      >
        <InstanceMark size="l" />
      </ActorImageFields>
    </section>
  )
}
