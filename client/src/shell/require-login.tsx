import type { ComponentChildren, JSX } from 'preact'
import { useLocation } from 'preact-iso'
import { useEffect } from 'preact/hooks'
import { isLoggedIn } from '../credentials.ts'

/** A room for people who are logged in: guests are led to the door and come back here afterwards. */
export function RequireLogin({ children }: { children: ComponentChildren }): JSX.Element | null {
  const { url, route } = useLocation()
  const inside = isLoggedIn.value
  useEffect(() => {
    if (!inside) route(`/login?next=${encodeURIComponent(url)}`, true)
  }, [inside])
  return inside ? <>{children}</> : null
}
