import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { LocationProvider, Route, Router } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { ConfirmDialog } from '../ui/dialog.tsx'
import { Toasts } from '../ui/toast.tsx'
import { PageErrorBoundary } from '../page/error-boundary.tsx'
import { Header } from './header.tsx'
import { NotFoundPage, PAGE_ROUTES } from './routes.ts'
import { restoreScrollPosition, useHistoryEntryKeys } from '../page/scroll-restoration.ts'
import { endStagedHydration, useStagedHydration, ServerRendered } from '../page/staged-hydration.tsx'
import './app.css'

/** The whole site: header, page of the current path, dialogs and toasts. */
export function App(): JSX.Element {
  return (
    <LocationProvider>
      <Shell />
    </LocationProvider>
  )
}

function Shell(): JSX.Element {
  useHistoryEntryKeys()
  const main = useRef<HTMLElement>(null)
  const renderStage = useStagedHydration(1)
  useEffect(restoreScrollPosition, [])
  return (
    <>
      <a class="skip" href="#main">
        {t('app.skip')}
      </a>
      {renderStage === 0 ? <ServerRendered class="bar" /> : <Header />}
      <main id="main" ref={main} tabIndex={-1}>
        <PageErrorBoundary>
          <Router
            onRouteChange={() => {
              endStagedHydration()
              restoreScrollPosition()
              // Screen readers and keyboard users continue at the top of the new page.
              main.current?.focus({ preventScroll: true })
            }}
          >
            {[
              ...PAGE_ROUTES.map(({ path, view }) => <Route key={path} path={path} component={view} />),
              <Route key="*" default component={NotFoundPage} />
            ]}
          </Router>
        </PageErrorBoundary>
      </main>
      <Toasts />
      <ConfirmDialog />
    </>
  )
}
