import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { ButtonLink } from '../ui/button.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { PasswordForm } from './password-form.tsx'
import type { UnavailableReason } from './use-video.ts'

/** The notice shown instead of a video, with the action that may help (login, password, retry). */
export function VideoUnavailable({
  reason,
  originUrl,
  onUnlock,
  onRetry
}: {
  reason: UnavailableReason
  originUrl: string | null
  onUnlock: (password: string) => void
  onRetry: () => void
}): JSX.Element {
  const { url } = useLocation()
  if (reason === 'missing')
    return (
      <EmptyState heading="h1" icon="film" title={t('unavailable.missing')}>
        <p>{t('unavailable.missingText')}</p>
        <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
      </EmptyState>
    )
  if (reason === 'login')
    return (
      <EmptyState heading="h1" icon="lock" title={t('unavailable.login')}>
        <p>{t('unavailable.loginText')}</p>
        <ButtonLink look="primary" href={`/login?next=${encodeURIComponent(url)}`}>
          {t('app.login')}
        </ButtonLink>
      </EmptyState>
    )
  if (reason === 'elsewhere' && originUrl !== null && URL.canParse(originUrl))
    return (
      <EmptyState heading="h1" icon="film" title={t('unavailable.elsewhere')}>
        <p>{t('unavailable.elsewhereText')}</p>
        <ButtonLink look="primary" href={originUrl}>
          {t('unavailable.watchOn', { host: new URL(originUrl).host })}
        </ButtonLink>
      </EmptyState>
    )
  if (reason === 'forbidden' || reason === 'elsewhere')
    return (
      <EmptyState heading="h1" icon="lock" title={t('unavailable.forbidden')}>
        <p>{t('unavailable.forbiddenText')}</p>
        <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
      </EmptyState>
    )
  if (reason === 'failed') return <ErrorState text={t('ui.noConnection')} onRetry={onRetry} />
  return <PasswordForm reason={reason} onUnlock={onUnlock} onRetry={onRetry} />
}
