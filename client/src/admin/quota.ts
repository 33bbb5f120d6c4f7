const GIGABYTE = 1e9

/** Returns the text of a quota field in gigabytes; empty for no limit (a negative number of bytes). */
export function formatQuotaInput(bytes: number): string {
  return bytes < 0 ? '' : String(bytes / GIGABYTE)
}

/** Returns the bytes of a quota field in gigabytes, -1 for an empty one (no limit), null if it is not a size. */
export function parseQuotaInput(text: string): number | null {
  if (text.trim() === '') return -1
  const size = Number(text.trim().replace(',', '.'))
  return Number.isFinite(size) && size >= 0 ? Math.round(size * GIGABYTE) : null
}
