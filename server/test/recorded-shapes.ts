import { isObject } from '../fediverse/vocabulary.ts'
import type { Recording } from './recordings.ts'

type Json = { [key: string]: unknown }
/** The JSON types that a field was recorded with, by the key of its parent and its own: `account.avatars`. */
export type RecordedTypes = Map<string, Set<string>>

/** What differs from one to the next by its nature: the data of a job depends on its kind, labels are keyed by ids. */
const FREE_FORM = /^(jobs\/data\[\]\.(data|parent|error|priority)|jobs\/data\[\]\.data.*)$/

/** Returns which types every field of the recorded answers had. */
export function collectRecordedTypes(recordings: Recording[]): RecordedTypes {
  const types: RecordedTypes = new Map()
  const collect = (value: unknown, key: string): void => {
    if (key) types.set(key, (types.get(key) ?? new Set<string>()).add(jsonType(value)))
    if (Array.isArray(value) && value.length === 0) types.get(key)?.add('empty list')
    const own = key.slice(key.lastIndexOf('.') + 1)
    if (Array.isArray(value)) for (const entry of value) collectFields(entry, own)
    else collectFields(value, own)
  }
  const collectFields = (value: unknown, own: string) => {
    if (isObject(value as Json)) for (const [field, inner] of Object.entries(value as Json)) collect(inner, `${own}.${field}`)
  }
  for (const { answer, area } of recordings) collectFields(answer, area)
  return types
}

/**
 * Returns how the shape of an answer differs from the recorded one, one sentence each; [] if it has every recorded key with its type. Each
 * entry of a list needs the keys that all recorded entries have. Null stands for a value only where the same field was recorded as null, and
 * for any other type only where that was recorded; an empty list for a filled one never. Additional keys are allowed.
 */
export function findShapeDifferences(recorded: unknown, ours: unknown, types: RecordedTypes, area: string): string[] {
  const differences: string[] = []
  const compare = (one: unknown, other: unknown, path: string, key: string): void => {
    if (FREE_FORM.test(`${area}/${path}`)) return
    const [expected, found] = [jsonType(one), jsonType(other)]
    const own = key.slice(key.lastIndexOf('.') + 1)
    if (expected !== found) {
      const recordedTypes = types.get(key)
      const alsoRecorded = recordedTypes?.has(found) === true
      const typeUnknown = expected === 'null' && recordedTypes?.size === 1
      if (!alsoRecorded && !typeUnknown) differences.push(`${path || 'the answer'}: ${found} instead of ${expected}`)
      return
    }
    if (Array.isArray(one)) {
      const entries = other as unknown[]
      // Entries of a list may stand for others than the recorded ones; those that were asked for by name may not.
      const mayBeEmpty = path.includes('[]') && types.get(key)?.has('empty list')
      if (one.length > 0 && entries.length === 0 && !mayBeEmpty) differences.push(`${path}: an empty list instead of a filled one`)
      else if (one.length > 0) for (const entry of entries) compareEntry(one, entry, `${path}[]`, own)
    } else if (isObject(one as Json)) compareFields(one as Json, other as Json, path, own)
  }
  /** Compares an entry with all recorded ones: it must have what all of them have, and be of a type that one of them has. */
  const compareEntry = (recordedEntries: unknown[], entry: unknown, path: string, own: string) => {
    const alike = recordedEntries.filter(one => jsonType(one) === jsonType(entry))
    if (alike.length === 0) differences.push(`${path}: ${jsonType(entry)} instead of ${jsonType(recordedEntries[0])}`)
    else if (isObject(entry as Json)) {
      const objects = alike as Json[]
      const common = Object.keys(objects[0]!).filter(field => objects.every(object => Object.hasOwn(object, field)))
      compareFields(Object.fromEntries(common.map(field => [field, mostTelling(objects, field, entry as Json)])), entry as Json, path, own)
    }
  }
  const compareFields = (one: Json, other: Json, path: string, own: string) => {
    for (const [field, value] of Object.entries(one)) {
      // What the recording left out, as its README says.
      if (field === '$truncated') continue
      const fieldPath = path ? `${path}.${field}` : field
      if (!Object.hasOwn(other, field)) {
        if (!FREE_FORM.test(`${area}/${fieldPath}`)) differences.push(`${fieldPath}: missing`)
      } else compare(value, other[field], fieldPath, `${own}.${field}`)
    }
  }
  compare(recorded, ours, '', area)
  return [...new Set(differences)]
}

/** Of the recorded values of a field, one of the type of ours if there is one, as lists that may be empty have one. */
function mostTelling(objects: Json[], field: string, entry: Json): unknown {
  const values = objects.map(object => object[field])
  const ours = entry[field]
  const alike = values.filter(value => jsonType(value) === jsonType(ours))
  // One recorded entry with an empty list shows that there may be none.
  if (Array.isArray(ours) && ours.length === 0) return alike.find(value => (value as unknown[]).length === 0) ?? alike[0] ?? values[0]
  if (isObject(ours as Json)) return alike.length > 0 ? commonFields(alike as Json[]) : values[0]
  return alike[0] ?? values[0]
}

/** The fields that all of some objects have, with the values of the first. */
function commonFields(objects: Json[]): Json {
  return Object.fromEntries(Object.entries(objects[0]!).filter(([field]) => objects.every(object => Object.hasOwn(object, field))))
}

function jsonType(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value
}
