import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { initialPath } from '../initial-data.ts'
import { t } from '../i18n/i18n.ts'
import { useTitle } from '../page/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { EmptyState } from '../ui/feedback.tsx'

/**
 * The page for an unknown path. The server may redirect it (old forms of links), so a path that was reached without a page load is loaded
 * from the server once.
 */
export default function NotFoundPage(): JSX.Element {
  useEffect(() => {
    if (location.pathname !== initialPath) location.reload()
  }, [])
  useTitle(t('notFound.name'))
  return (
    <div class="page">
      <EmptyState heading="h1" icon="film" title={t('notFound.name')}>
        <p>{t('notFound.text')}</p>
        <ButtonLink look="primary" href="/">
          {t('ui.toHome')}
        </ButtonLink>
      </EmptyState>
    </div>
  )
}
