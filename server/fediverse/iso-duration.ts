const DAY = 86_400
/** Seconds of each designator; a year and a month are those of a calendar on average. */
const DATE_PARTS = { Y: 365.2425 * DAY, M: 30.436875 * DAY, W: 7 * DAY, D: DAY }
const TIME_PARTS = { H: 3600, M: 60, S: 1 }
const NUMBER = String.raw`(\d{1,12}(?:[.,]\d{1,12})?)`
const DESIGNATED = new RegExp(
  `^P${['Y', 'M', 'W', 'D'].map(unit => `(?:${NUMBER}${unit})?`).join('')}(?:T${['H', 'M', 'S'].map(unit => `(?:${NUMBER}${unit})?`).join('')})?$`
)
/** The alternative format, basic or extended: PYYYYMMDDThhmmss, PYYYY-MM-DDThh:mm:ss. */
const ALTERNATIVE = /^P(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):?(\d{2}):?(\d{2}(?:[.,]\d{1,12})?)$/

/** Returns the seconds of a duration (ISO 8601-1 §5.5.2, xsd:duration), at most `max`; null for anything else and for a negative one. */
export function parseIsoDuration(text: string, max: number): number | null {
  if (text.length > 100) return null
  const value = text.trim().replace(/^\+/, '').toUpperCase()
  const designated = DESIGNATED.exec(value)
  const parts = (designated ?? ALTERNATIVE.exec(value))?.slice(1)
  if (!parts || parts.every(part => part === undefined)) return null
  const { W: _, ...date } = DATE_PARTS
  const units = [...Object.values(designated ? DATE_PARTS : date), ...Object.values(TIME_PARTS)]
  const seconds = parts.reduce((sum, part, index) => sum + Number((part ?? '0').replace(',', '.')) * units[index]!, 0)
  return Math.min(seconds, max)
}
