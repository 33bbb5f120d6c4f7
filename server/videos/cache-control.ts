/** Cache-Control for shared caches; `maxAge` in ms. An `immutable` response is never revalidated (RFC 8246). */
export function publicCache(maxAge: number, immutable = false): string {
  return `public, max-age=${Math.floor(maxAge / 1000)}${immutable ? ', immutable' : ''}`
}

/** Cache-Control for the browser alone; `maxAge` in ms. */
export function privateCache(maxAge: number): string {
  return `private, max-age=${Math.floor(maxAge / 1000)}`
}
