import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { LocationProvider, Route, Router } from 'preact-iso'
import { t } from '../i18n/i18n.ts'
import { Confirmation } from '../ui/dialog.tsx'
import { Toasts } from '../ui/toast.tsx'
import { ErrorEdge } from './error-boundary.tsx'
import { Header } from './header.tsx'
import { NotFound, ROUTES } from './routes.ts'
import { restorePlace, useHistoryKeys } from './scroll-restoration.ts'
import { leaveOpened, useTurns, Written } from './staged-hydration.tsx'
import './shell.css'

/** The whole site: the bar, the page of the address, dialogs and notices. */
export function App(): JSX.Element {
  return (
    <LocationProvider>
      <Shell />
    </LocationProvider>
  )
}

function Shell(): JSX.Element {
  useHistoryKeys()
  const main = useRef<HTMLElement>(null)
  const turn = useTurns(1)
  useEffect(restorePlace, [])
  return (
    <>
      <a class="skip" href="#main">
        {t('shell.skip')}
      </a>
      {turn === 0 ? <Written class="bar" /> : <Header />}
      <main id="main" ref={main} tabIndex={-1}>
        <ErrorEdge>
          <Router
            onRouteChange={() => {
              leaveOpened()
              restorePlace()
              // Whoever reads with the ears or the keyboard goes on at the top of the new page.
              main.current?.focus({ preventScroll: true })
            }}
          >
            {[
              ...ROUTES.map(({ path, view }) => <Route key={path} path={path} component={view} />),
              <Route key="*" default component={NotFound} />
            ]}
          </Router>
        </ErrorEdge>
      </main>
      <Toasts />
      <Confirmation />
    </>
  )
}
