import { batch, signal } from '@preact/signals'
import type { Catalogue, TextKey, PluralText } from './catalogue.ts'
import { UI_LANGUAGES, type UiLanguage } from './languages.ts'
type Values = Record<string, string | number>

const catalogue = signal<Partial<Catalogue>>({})
const current = signal<UiLanguage>('en')
let wished: UiLanguage = 'en'
let administers = false

/** Loads a language and shows everything in it. */
export async function setLanguage(language: UiLanguage): Promise<void> {
  wished = language
  await load()
}

/** Loads the texts of the administration, in every language from now on. */
export async function loadAdminTexts(): Promise<void> {
  administers = true
  await load()
}

async function load(): Promise<void> {
  const language = wished
  const { load, loadAdmin } = UI_LANGUAGES[language]
  const parts = await Promise.all([load(), administers ? loadAdmin() : null])
  // Another language was wished for meanwhile.
  if (language !== wished) return
  batch(() => {
    catalogue.value = Object.assign(
      {},
      current.peek() === language ? catalogue.peek() : null,
      ...parts.map(part => part?.default)
    ) as Partial<Catalogue>
    current.value = language
  })
  document.documentElement.lang = language
}

/** The language in use. */
export function currentLanguage(): UiLanguage {
  return current.value
}

/** A text in the language in use, `{name}` filled in; `count` chooses the plural form and is written by the language's rules. */
export function t(key: TextKey, values: Values = {}): string {
  const text = catalogue.value[key] ?? ''
  const form = typeof text === 'string' ? text : text[pluralOf(Number(values.count))]
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name]
    return value === undefined ? whole : typeof value === 'number' ? formatNumber(value) : value
  })
}

/** Cuts a text at its one `{place}` so that an element can stand there. */
export function splitAtPlaceholder(key: TextKey, values: Values = {}): [string, string] {
  const [before = '', after = ''] = t(key, values).split('{place}')
  return [before, after]
}

/** A number as the language writes it. */
export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return formatter('number', options, () => new Intl.NumberFormat(current.value, options)).format(value)
}

/** A large number in short: 1.2K. */
export function formatCount(value: number): string {
  return formatNumber(value, { notation: 'compact', maximumFractionDigits: 1 })
}

/** A share between 0 and 1 as percent. */
export function formatPercent(share: number): string {
  return formatNumber(share, { style: 'percent', maximumFractionDigits: 0 })
}

/** A day: 12 March 2026. */
export function formatDate(date: string | Date, options: Intl.DateTimeFormatOptions = { dateStyle: 'long' }): string {
  return formatter('date', options, () => new Intl.DateTimeFormat(current.value, options)).format(new Date(date))
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60]
]

/** How long ago: 3 days ago, just now. */
export function formatAge(date: string | Date): string {
  const seconds = (new Date(date).getTime() - Date.now()) / 1000
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  const count = unit === 'second' ? 0 : Math.trunc(seconds / size)
  return formatter('age', {}, () => new Intl.RelativeTimeFormat(current.value, { numeric: 'auto' })).format(count, unit)
}

/** A size in bytes as people read it: 1.5 GB. */
export function formatSize(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const value = bytes / 1000 ** power
  return formatNumber(value, {
    style: 'unit',
    unit: units[power],
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 10 && power > 1 ? 1 : 0
  })
}

/** A time left in words: 2 min, 1 h 5 min. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds))
  const unit = (value: number, name: string) => formatNumber(value, { style: 'unit', unit: name, unitDisplay: 'short' })
  if (whole < 60) return unit(whole, 'second')
  const minutes = Math.round(whole / 60)
  if (minutes < 60) return unit(minutes, 'minute')
  return `${unit(Math.floor(minutes / 60), 'hour')} ${unit(minutes % 60, 'minute')}`
}

/** A place in a video: 4:05, 1:02:09. */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0))
  const two = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}

/** A place in a video as it is spoken: 4 minutes, 5 seconds. */
export function formatSpokenTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second']
  ]
  const spoken = parts
    .filter(([value], index) => value > 0 || index === 2)
    .map(([value, unit]) => formatNumber(value, { style: 'unit', unit, unitDisplay: 'long' }))
  return spoken.join(', ')
}

/** The name of a language in the language in use, with a capital; the code itself where nobody knows it. */
export function languageName(code: string): string {
  try {
    const name = formatter('language', {}, () => new Intl.DisplayNames(current.value, { type: 'language' })).of(code) ?? code
    return name.charAt(0).toLocaleUpperCase(current.value) + name.slice(1)
  } catch {
    return code
  }
}

function pluralOf(count: number): keyof PluralText {
  return formatter('plural', {}, () => new Intl.PluralRules(current.value)).select(count) === 'one' ? 'one' : 'other'
}

const formatters = new Map<string, unknown>()

/** Intl's objects are slow to make and fit to be kept. */
function formatter<T>(kind: string, options: object | undefined, make: () => T): T {
  const key = `${kind} ${current.value} ${JSON.stringify(options)}`
  if (!formatters.has(key)) formatters.set(key, make())
  return formatters.get(key) as T
}
