import type { JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { ButtonLink } from '../ui/button.tsx'
import { ErrorState, EmptyState } from '../ui/feedback.tsx'
import { PasswordForm } from './password-form.tsx'
import type { UnavailableReason as Kind } from './use-video.ts'

/** What stands in the place of a video that is not shown, with the way past it where there is one. */
export function VideoUnavailable({
  kind,
  onUnlock,
  onRetry
}: {
  kind: Kind
  onUnlock: (password: string) => void
  onRetry: () => void
}): JSX.Element {
  const { url } = useLocation()
  if (kind === 'missing')
    return (
      <EmptyState heading="h1" icon="film" title={t('barrier.missing')}>
        <p>{t('barrier.missingText')}</p>
        <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
      </EmptyState>
    )
  if (kind === 'login')
    return (
      <EmptyState heading="h1" icon="lock" title={t('barrier.login')}>
        <p>{t('barrier.loginText')}</p>
        <ButtonLink look="primary" href={`/login?next=${encodeURIComponent(url)}`}>
          {t('shell.login')}
        </ButtonLink>
      </EmptyState>
    )
  if (kind === 'forbidden')
    return (
      <EmptyState heading="h1" icon="lock" title={t('barrier.forbidden')}>
        <p>{t('barrier.forbiddenText')}</p>
        <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
      </EmptyState>
    )
  if (kind === 'failed') return <ErrorState text={t('ui.noConnection')} onRetry={onRetry} />
  return <PasswordForm kind={kind} onUnlock={onUnlock} onRetry={onRetry} />
}
