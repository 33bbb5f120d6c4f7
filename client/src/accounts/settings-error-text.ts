import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { minPasswordLength } from '../instance/config.ts'

/** Returns the text that explains why a change of the user's own settings failed. */
export function settingsErrorText(error: unknown): string {
  if (!(error instanceof ApiError) || error.status === 0) return t('ui.noConnection')
  if (error.code === 'current_password_is_invalid' || 'currentPassword' in error.fields) return t('settings.wrongPassword')
  if (error.status === 429) return t('login.tooMany')
  if (error.code === 'current_password_required') return t('deletion.loginTooOld')
  if (error.status === 409) return t('signup.taken')
  if ('password' in error.fields) return t('signup.passwordError', { count: minPasswordLength() })
  if ('email' in error.fields) return t('signup.emailError')
  if ('description' in error.fields) return t('settings.aboutError')
  return t('refusal.other', { reason: error.message })
}
