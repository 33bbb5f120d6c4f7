import { ApiError } from './api-error.ts'
import { t } from './i18n/i18n.ts'

/** Says in words why an act failed: no connection, too often, or what the server gave as its reason. */
export function apiErrorText(error: unknown): string {
  if (!(error instanceof ApiError) || error.status === 0) return t('ui.noConnection')
  return error.status === 429 ? t('ui.tooMany') : t('refusal.other', { reason: error.message })
}
