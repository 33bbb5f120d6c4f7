import type { ComponentChildren, JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { useEffect } from 'preact/hooks'
import { isLoggedIn } from '../credentials.ts'

/** Shows its children to logged-in users; others are redirected to the login page, and back here after the login. */
export function RequireLogin({ children }: { children: ComponentChildren }): JSX.Element | null {
  const { url, route } = useLocation()
  const loggedIn = isLoggedIn.value
  useEffect(() => {
    if (!loggedIn) route(`/login?next=${encodeURIComponent(url)}`, true)
  }, [loggedIn])
  return loggedIn ? <>{children}</> : null
}
