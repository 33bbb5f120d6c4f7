import { ApiError } from './api-error.ts'
import { t } from './i18n/i18n.ts'

/** Returns the message for a failed request: no connection, rate limit reached, a site that is briefly unavailable, or the reason that the server gave. */
export function apiErrorText(error: unknown): string {
  if (!(error instanceof ApiError) || error.status === 0) return t('ui.noConnection')
  if (error.status === 503) return t('ui.unavailable')
  return error.status === 429 ? t('ui.tooMany') : t('refusal.other', { reason: error.message })
}
