/** Returns the seconds of the query parameter `start` (`90`, `90s`, `1m30s`, `1h2m3s`, `1:30`, `1:02:03`); undefined for anything else. */
export function parseStartTime(text: string | null | undefined): number | undefined {
  if (!text) return undefined
  if (/^\d+(:\d{1,2}){1,2}$/.test(text)) return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  const [, hours = 0, minutes = 0, seconds = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(text) ?? []
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) || undefined
}
