import { useLocation } from 'preact-iso'

/**
 * Returns a `route` for after an awaited request: it navigates only while the browser is still at the path of the render that made it, so
 * that a response that arrives late does not take the user away from a page opened meanwhile.
 */
export function useRouteFromHere(): (to: string, replace?: boolean) => void {
  const { path, route } = useLocation()
  return (to, replace) => {
    // `path` comes without trailing slashes from preact-iso.
    if ((location.pathname.replace(/\/+$/g, '') || '/') === path) route(to, replace)
  }
}
