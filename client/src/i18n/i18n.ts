import { batch, signal } from '@preact/signals'
import type { Catalogue, TextKey, PluralText } from './catalogue.ts'
import { UI_LANGUAGES, type TextGroup, type UiLanguage } from './languages.ts'

type TextValues = Record<string, string | number>

const catalogue = signal<Partial<Catalogue>>({})
const activeLanguage = signal<UiLanguage>('en')
let requestedLanguage: UiLanguage = 'en'
const requestedGroups = new Set<TextGroup>()

/** Loads the texts of a language and switches the interface to it. */
export async function setLanguage(language: UiLanguage): Promise<void> {
  requestedLanguage = language
  await loadRequestedTexts()
}

/** Loads the texts of a group of pages, now and with every later change of the language. */
export async function loadTextGroup(group: TextGroup): Promise<void> {
  requestedGroups.add(group)
  await loadRequestedTexts()
}

async function loadRequestedTexts(): Promise<void> {
  const language = requestedLanguage
  const texts = UI_LANGUAGES[language]
  const modules = await Promise.all([texts.site(), ...[...requestedGroups].map(async group => await texts[group]())])
  // Another language was requested meanwhile.
  if (language !== requestedLanguage) return
  batch(() => {
    catalogue.value = Object.assign(
      {},
      activeLanguage.peek() === language ? catalogue.peek() : null,
      ...modules.map(module => module.default)
    ) as Partial<Catalogue>
    activeLanguage.value = language
  })
  document.documentElement.lang = language
}

/** The current language. */
export function currentLanguage(): UiLanguage {
  return activeLanguage.value
}

/** Returns a text in the current language, `{name}` placeholders replaced by values (numbers formatted); `count` chooses the plural. */
export function t(key: TextKey, values: TextValues = {}): string {
  const text = catalogue.value[key] ?? ''
  const form = typeof text === 'string' ? text : text[pluralForm(Number(values.count))]
  return form.replace(/\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values[name]
    return value === undefined ? placeholder : typeof value === 'number' ? formatNumber(value) : value
  })
}

/** Splits a text at its placeholder `{place}`, so that an element can be put there. */
export function splitAtPlaceholder(key: TextKey, values: TextValues = {}): [string, string] {
  const [before = '', after = ''] = t(key, values).split('{place}')
  return [before, after]
}

/** Formats a number. */
export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return cachedFormatter('number', options, () => new Intl.NumberFormat(activeLanguage.value, options)).format(value)
}

/** Formats a large number in compact form: 1.2K. */
export function formatCount(value: number): string {
  return formatNumber(value, { notation: 'compact', maximumFractionDigits: 1 })
}

/** Formats a share between 0 and 1 as a percentage. */
export function formatPercent(share: number): string {
  return formatNumber(share, { style: 'percent', maximumFractionDigits: 0 })
}

/** Formats a date: 12 March 2026. */
export function formatDate(date: string | Date, options: Intl.DateTimeFormatOptions = { dateStyle: 'long' }): string {
  return cachedFormatter('date', options, () => new Intl.DateTimeFormat(activeLanguage.value, options)).format(new Date(date))
}

/** Units of relative time and their lengths in seconds. */
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60]
]

/** Formats the time since a date: 3 days ago, now. */
export function formatAge(date: string | Date): string {
  const seconds = (new Date(date).getTime() - Date.now()) / 1000
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1]
  const count = unit === 'second' ? 0 : Math.trunc(seconds / size)
  return cachedFormatter('age', {}, () => new Intl.RelativeTimeFormat(activeLanguage.value, { numeric: 'auto' })).format(count, unit)
}

/** Formats a number of bytes: 1.5 GB (decimal units). */
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

/** Formats a duration in seconds, rounded: 2 min, 1 hr 5 min. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds))
  const unit = (value: number, name: string) => formatNumber(value, { style: 'unit', unit: name, unitDisplay: 'short' })
  if (whole < 60) return unit(whole, 'second')
  const minutes = Math.round(whole / 60)
  if (minutes < 60) return unit(minutes, 'minute')
  return `${unit(Math.floor(minutes / 60), 'hour')} ${unit(minutes % 60, 'minute')}`
}

/** Formats a position in seconds: 4:05, 1:02:09. */
export function formatTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0))
  const twoDigits = (value: number) => String(value).padStart(2, '0')
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor(whole / 60) % 60
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}` : `${minutes}:${twoDigits(whole % 60)}`
}

/** Formats a position in seconds for screen readers: 4 minutes, 5 seconds. */
export function formatSpokenTime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second']
  ]
  const spokenParts = parts
    .filter(([value], index) => value > 0 || index === 2)
    .map(([value, unit]) => formatNumber(value, { style: 'unit', unit, unitDisplay: 'long' }))
  return spokenParts.join(', ')
}

/** Returns the name of a language in the current language, capitalized; `label` if the browser does not know it. */
export function languageName(code: string, label = code): string {
  try {
    const names = cachedFormatter('language', {}, () => new Intl.DisplayNames(activeLanguage.value, { type: 'language', fallback: 'none' }))
    const name = names.of(code)
    if (name === undefined) return label
    return name.charAt(0).toLocaleUpperCase(activeLanguage.value) + name.slice(1)
  } catch {
    return label
  }
}

function pluralForm(count: number): keyof PluralText {
  return cachedFormatter('plural', {}, () => new Intl.PluralRules(activeLanguage.value)).select(count) === 'one' ? 'one' : 'other'
}

const formatters = new Map<string, unknown>()

/** Intl formatters are slow to create, so they are cached by kind, language and options. */
function cachedFormatter<T>(kind: string, options: object | undefined, create: () => T): T {
  const key = `${kind} ${activeLanguage.value} ${JSON.stringify(options)}`
  if (!formatters.has(key)) formatters.set(key, create())
  return formatters.get(key) as T
}
