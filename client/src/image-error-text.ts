import { ApiError } from './api-error.ts'
import { apiErrorText } from './api-error-text.ts'
import { formatSize, t } from './i18n/i18n.ts'

/** Returns the message for an image that could not be saved; `maxSize`: the largest accepted file in bytes, null where it is not known. */
export function imageErrorText(error: unknown, maxSize: number | null): string {
  if (!(error instanceof ApiError)) return apiErrorText(error)
  if (error.status === 413) return imageTooLargeText(maxSize)
  return error.status === 400 || error.status === 415 ? t('images.wrongType') : apiErrorText(error)
}

/** Returns the message for an image whose file is larger than `maxSize` bytes. */
export function imageTooLargeText(maxSize: number | null): string {
  return maxSize === null ? t('images.tooLarge') : t('images.tooLargeFor', { size: formatSize(maxSize) })
}
