import { z } from 'zod'
import { longUuid } from './short-uuid.ts'

/** An integer, also as text, as in queries and forms. */
export function int(min: number, max: number = Number.MAX_SAFE_INTEGER) {
  return z
    .preprocess(
      value => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value),
      z.int('Invalid value').min(min, 'Invalid value').max(max, 'Invalid value')
    )
    .meta({ override: { type: 'integer', minimum: min, ...(max === Number.MAX_SAFE_INTEGER ? {} : { maximum: max }) } })
}

const TRUE_WORDS = ['true', 't', 'yes', 'y', 'on', '1']
const FALSE_WORDS = ['false', 'f', 'no', 'n', 'off', '0']

/** A boolean, in queries and forms also as a word in any case: true, t, yes, y, on, 1, and false, f, no, n, off, 0. */
export const Bool = z
  .preprocess(value => {
    if (value === 1 || value === 0) return value === 1
    const word = typeof value === 'string' ? value.trim().toLowerCase() : ''
    return TRUE_WORDS.includes(word) ? true : FALSE_WORDS.includes(word) ? false : value
  }, z.boolean('Invalid value'))
  .meta({ override: { type: 'boolean' } })

/** A parameter that earlier versions of the API had: refused where it is sent, with what to send instead. */
export function removedParam(message: string) {
  return z
    .undefined(message)
    .optional()
    .meta({ override: { not: {}, deprecated: true, description: message } })
}

/** A list without duplicates. `keyOf` returns the text by which elements are compared. */
export function uniqueItems<T>(schema: z.ZodType<T[]>, message: string, keyOf: (item: T) => string = String) {
  return schema.refine(items => new Set(items.map(keyOf)).size === items.length, message)
}

/** A list, also as one value alone (`a=1`), repeated (`a=1&a=2`) or bracketed (`a[]=1`). */
export function arrayParam<T extends z.ZodType>(item: T, max = 100) {
  return z.preprocess(
    value => (value === undefined || value === null || Array.isArray(value) ? value : [value]),
    z.array(item).max(max, `Should have at most ${max} elements`)
  )
}

/** Text that forms may send empty for "none": '' and 'null' become null. */
export function textOrNull(min: number, max: number, message = 'Invalid value') {
  return z
    .preprocess(
      value => (value === '' || value === 'null' ? null : value),
      z.string(message).min(min, message).max(max, message).nullable()
    )
    .meta({ override: { type: ['string', 'null'], minLength: min, maxLength: max } })
}

/** Allows "none" for any field: '' and 'null' become null. */
export function orNull<T extends z.ZodType>(type: T) {
  return z.preprocess(value => (value === '' || value === 'null' ? null : value), type.nullable())
}

/** An ISO 8601 date and time of the years 1 to 9999 (UTC), which databases and other programs know, parsed to a Date. */
export const DateTime = z
  .string('Invalid value')
  .refine(value => /^\d{4}-\d{2}-\d{2}/.test(value) && isCommonYear(new Date(value).getUTCFullYear()), 'Invalid value')
  .transform(value => new Date(value))
  .meta({ override: { type: 'string', format: 'date-time' } })

const isCommonYear = (year: number): boolean => year >= 1 && year <= 9999

/** A date and time in a response: ISO 8601, UTC. */
export const Timestamp = z.iso.datetime()

/** The response of every list. */
export function resultList<T extends z.ZodType>(item: T) {
  return z.object({ total: z.int().min(0), data: z.array(item) })
}

/** The paging parameters of every list; defaults and limits are in `pagination.*`. */
export const Paging = z.object({
  start: int(0).optional().describe('How many to skip'),
  count: int(0).optional().describe('How many to return')
})

/** An id with its English label, as in PeerTube's API. */
export const LabelledConstant = z.object({ id: z.union([z.int(), z.string()]).nullable(), label: z.string() })

/** The id of a row, in a path. */
export const IdParam = z.object({ id: int(1, 2 ** 31 - 1) })

/** A UUID or a short UUID; parsed to the UUID. */
export const Uuid = z
  .string('Invalid value')
  .refine(id => longUuid(id) !== null, 'Invalid value')
  .transform(id => longUuid(id)!)
