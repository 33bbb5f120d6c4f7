import type { ApiError } from '../api-error.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { instanceConfig } from '../instance/config.ts'

const BY_CODE: Record<string, TextKey> = {
  quota_reached: 'refusal.quota',
  max_file_size_reached: 'refusal.size',
  insufficient_storage: 'refusal.full',
  too_many_uploads: 'refusal.tooMany',
  video_too_long: 'refusal.long',
  video_too_large: 'refusal.large',
  too_many_streams: 'refusal.streams',
  unsupported_container: 'refusal.type',
  no_streams: 'refusal.noStreams',
  unreadable_video: 'refusal.unreadable'
}

/** Why a file was not taken, in the viewer's words. */
export function uploadErrorText(refusal: ApiError): string {
  const key = BY_CODE[refusal.code ?? '']
  if (key) return t(key)
  if (refusal.status === 413) return t('refusal.size')
  if (refusal.status === 415) return t('refusal.kind', { kinds: (instanceConfig.value?.video.file.extensions ?? []).join(', ') })
  if (refusal.status === 422) return t('refusal.unreadable')
  if (refusal.status === 401) return t('refusal.login')
  return t('refusal.other', { reason: refusal.message })
}
