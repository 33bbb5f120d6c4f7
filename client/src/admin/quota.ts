const GIGABYTE = 1e9

/** A quota in gigabytes as it is written into a field; nothing is "no limit". */
export function formatQuotaInput(bytes: number): string {
  return bytes < 0 ? '' : String(bytes / GIGABYTE)
}

/** The bytes of what a field says, -1 without a limit; null where it is no size. */
export function parseQuotaInput(text: string): number | null {
  if (text.trim() === '') return -1
  const size = Number(text.trim().replace(',', '.'))
  return Number.isFinite(size) && size >= 0 ? Math.round(size * GIGABYTE) : null
}
