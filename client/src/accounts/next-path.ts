/** A page of this site to go to after logging in; never another site. */
export function nextPath(wanted: string | undefined): string {
  if (!wanted) return '/'
  try {
    const url = new URL(wanted, location.origin)
    return url.origin === location.origin && wanted.startsWith('/') ? url.pathname + url.search : '/'
  } catch {
    return '/'
  }
}
