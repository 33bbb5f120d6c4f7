import type { ApiError } from '../api-error.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { t } from '../i18n/i18n.ts'
import { instanceConfig } from '../instance/config.ts'

const TEXT_BY_ERROR_CODE: Record<string, TextKey> = {
  quota_reached: 'refusal.quota',
  max_file_size_reached: 'refusal.size',
  insufficient_storage: 'refusal.full',
  too_many_uploads: 'refusal.tooMany',
  upload_stalled: 'refusal.stalled',
  upload_busy: 'refusal.busy',
  video_too_long: 'refusal.long',
  video_too_large: 'refusal.large',
  too_many_streams: 'refusal.streams',
  broken_times: 'refusal.times',
  unsupported_container: 'refusal.type',
  still_image: 'refusal.image',
  animated_image: 'refusal.animatedImage',
  playlist_file: 'refusal.playlist',
  web_page: 'refusal.webPage',
  text_file: 'refusal.text',
  archive_file: 'refusal.archive',
  audio_not_accepted: 'refusal.audio',
  undecodable_video: 'refusal.undecodable',
  no_streams: 'refusal.noStreams',
  unreadable_video: 'refusal.unreadable'
}

/** Returns the message of why the server did not accept a file. */
export function uploadErrorText(error: ApiError): string {
  const key = TEXT_BY_ERROR_CODE[error.code ?? '']
  if (key) return t(key)
  if (error.status === 408) return t('refusal.stalled')
  if (error.status === 507) return t('refusal.full')
  if (error.status === 413) return t('refusal.size')
  if (error.status === 415) return t('refusal.kind', { kinds: (instanceConfig.value?.video.file.extensions ?? []).join(', ') })
  if (error.status === 422) return t('refusal.unreadable')
  if (error.status === 401) return t('refusal.login')
  return t('refusal.other', { reason: error.message })
}
