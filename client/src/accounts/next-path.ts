/** Returns the path and query to open after a login: `requested` if it is a path of this origin, `/` otherwise (no open redirects). */
export function nextPath(requested: string | undefined): string {
  if (!requested) return '/'
  try {
    const url = new URL(requested, location.origin)
    return url.origin === location.origin && requested.startsWith('/') ? url.pathname + url.search : '/'
  } catch {
    return '/'
  }
}
